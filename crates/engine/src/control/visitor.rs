//! A shell that came in by the socket.
//!
//! * **bounded**   [`SHELLS_MAX`] at one time; a request has a limit, and so has the time that an answer may take to
//!   be read.
//! * **patient**   a shell that says nothing may stay for ever, once it has said who it is.
//! * **known**     who it is the kernel says.

use std::rc::Rc;
use std::time::Duration;

use config::shell::{Outcome, Shell};
use tokio::io::{AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use super::{Control, Mirroring, user};
use crate::journal::Level;
use crate::protocol::{self, Broken, Reply, Request};

/// Shells at one time, at most.
pub(crate) const SHELLS_MAX: usize = 64;

/// How long a shell may take to say hello.
pub(crate) const HELLO_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take to be read: an operator may have stopped his terminal, or have left it like that.
const ANSWER_TIME: Duration = Duration::from_secs(60);

/// How long who was turned away has to read why.
const FAREWELL_TIME: Duration = Duration::from_secs(1);

/// What accepting rests for after an error: there may be no descriptors to be had.
const REST: Duration = Duration::from_millis(100);

/// Takes in shells, for ever. `hello` is how long they may take to say it.
pub(crate) async fn receive<M: Mirroring + 'static>(
    control: Rc<Control<M>>,
    listener: UnixListener,
    hello: Duration,
) {
    let places = std::sync::Arc::new(Semaphore::new(SHELLS_MAX));
    let doorstep = std::sync::Arc::new(Semaphore::new(SHELLS_MAX));
    let mut number = 0;
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(REST).await;
            continue;
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            turn_away(&stream);
            // It may be about to say hello, and would not read what it is told if nobody were there.
            if let Ok(step) = doorstep.clone().try_acquire_owned() {
                spawn_local(async move {
                    sleep(FAREWELL_TIME).await;
                    drop((stream, step));
                });
            }
            continue;
        };
        let control = control.clone();
        number += 1;
        spawn_local(async move {
            let user = stream.peer_cred().map_or_else(|_| "?".into(), |who| user::name(who.uid()));
            if let Err(why) = visit(&control, stream, (&user, number), hello).await {
                let text = format!("the shell of {user} was hung up on: {why}");
                control.journal().say(Level::Warning, "shells", &text);
            }
            drop(place);
        });
    }
}

/// What there is room for in any socket's buffer.
fn turn_away(stream: &UnixStream) {
    let text =
        format!("Error: {SHELLS_MAX} shells are open, which is all there may be. Close one of them.\n");
    let farewell = farewell(text);
    // Nobody is waited for: who does not read it at once has to guess.
    let _ = stream.try_write(&protocol::line(&farewell));
}

fn farewell(text: String) -> Reply {
    Reply::Said { text, refused: true, leave: true, prompt: String::new() }
}

/// One shell, from its hello until it leaves.
async fn visit<M: Mirroring + 'static>(
    control: &Control<M>,
    stream: UnixStream,
    (user, number): (&str, u64),
    hello: Duration,
) -> Result<(), String> {
    let (input, mut output) = stream.into_split();
    let (mut input, mut room) = (BufReader::new(input), Vec::new());
    let mut shell = Shell::new(user, number);
    let mut greeted = false;
    loop {
        let request = protocol::request(&mut input, &mut room);
        let request = if greeted {
            request.await
        } else {
            timeout(hello, request).await.map_err(|_| String::from("it did not say hello in time"))?
        };
        let reply = match request {
            Ok(None) | Err(Broken::Io(_)) => return Ok(()),
            Err(broken) => {
                let text = format!("Error: {broken}\n");
                let _ = send(&mut output, &farewell(text)).await;
                return Err(broken.to_string());
            }
            Ok(Some(Request::Hello { json, .. })) => {
                greeted = true;
                shell.set_json(json);
                said(control, &shell, Ok(String::new()))
            }
            Ok(Some(_)) if !greeted => {
                let text = String::from("Error: A shell says hello first.\n");
                let _ = send(&mut output, &farewell(text)).await;
                return Err(String::from("it did not say hello"));
            }
            Ok(Some(Request::Line(line))) => typed(control, &mut shell, &line).await,
            Ok(Some(Request::Help(line))) => Reply::Help(shell.help(&line)),
            Ok(Some(Request::Complete(line))) => {
                let mut words = shell.complete(&line);
                words.extend(control.around(|around| shell.names(around.store, &line)));
                words.sort();
                words.dedup();
                Reply::Complete(words)
            }
        };
        send(&mut output, &reply).await?;
        if matches!(reply, Reply::Said { leave: true, .. }) {
            return Ok(());
        }
    }
}

/// Sends a reply. A shell that has gone is told nothing, and notices nothing.
async fn send(output: &mut (impl AsyncWrite + Unpin), reply: &Reply) -> Result<(), String> {
    match timeout(ANSWER_TIME, output.write_all(&protocol::line(reply))).await {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("it did not read an answer for {} seconds", ANSWER_TIME.as_secs())),
    }
}

/// A line was typed.
async fn typed<M: Mirroring + 'static>(control: &Control<M>, shell: &mut Shell, line: &str) -> Reply {
    let (outcome, seen) = control.around(|around| (shell.line(around, line), around.store.id()));
    match outcome {
        Outcome::Done => said(control, shell, Ok(String::new())),
        Outcome::Show(text) => said(control, shell, Ok(text)),
        Outcome::Refused(text) => said(control, shell, Err(text)),
        Outcome::Leave => {
            Reply::Said { text: String::new(), refused: false, leave: true, prompt: String::new() }
        }
        Outcome::Ask(ask) => {
            let answer = control.answer(*ask, shell, seen).await;
            said(control, shell, answer)
        }
    }
}

fn said<M: Mirroring + 'static>(
    control: &Control<M>,
    shell: &Shell,
    answer: Result<String, String>,
) -> Reply {
    let refused = answer.is_err();
    let mut text = answer.unwrap_or_else(|text| text);
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let prompt = control.around(|around| shell.prompt(around));
    Reply::Said { text, refused, leave: false, prompt }
}
