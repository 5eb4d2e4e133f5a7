use config::shell::Proposal;

use super::*;

const ONE: &str = "#\nbmp\n bmp-session 192.0.2.1\n  tcp connect port 5000\n#\nreturn\n";

macro_rules! local {
    ($name:ident, $run:ident) => {
        #[tokio::test]
        async fn $name() {
            LocalSet::new().run_until($run()).await;
        }
    };
}

local!(a_commit_does_only_what_has_changed, changes);
async fn changes() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let mut shell = engine.shell().await;
    assert_eq!(shell.prompt, "<host1>");
    shell.lines(&["system-view", "bmp", "bmp-session 192.0.2.2 alias b", "tcp connect port 5002"]).await;
    assert_eq!(shell.prompt, "[*host1-bmp-session-192.0.2.2-b]");
    assert_eq!(engine.twin.done(), [""; 0], "nothing was committed");
    assert_eq!(shell.line("commit").await, "");
    assert_eq!(shell.prompt, "[~host1-bmp-session-192.0.2.2-b]");
    assert_eq!(engine.twin.done(), ["add 192.0.2.2 alias b"]);
    assert_eq!(
        shell.lines(&["tcp connect port 5003", "commit"]).await,
        "Warning: BMP session 192.0.2.2 alias b: Run reset bmp session for the change to take effect.\n"
    );
    assert_eq!(engine.twin.done(), ["change 192.0.2.2 alias b AtReset"]);
    shell.lines(&["return", "reset bmp session 192.0.2.2 alias b"]).await;
    assert!(engine.twin.done()[0].starts_with("reset One(SessionKey"));
    shell.line("!reset bmp session 192.0.2.2").await;
    shell.lines(&["system-view", "bmp", "undo bmp-session 192.0.2.1", "sysname m2", "commit"]).await;
    assert_eq!(engine.twin.done(), ["remove 192.0.2.1", "sysname m2"]);
    assert_eq!(shell.prompt, "[~m2]");
    assert_eq!(engine.file(), ONE, "nobody has saved it");
}

local!(who_comes_second_is_told, clash);
async fn clash() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let (mut one, mut two) = (engine.shell().await, engine.shell().await);
    one.lines(&["system-view", "bmp", "statistics-timer 60"]).await;
    two.lines(&["system-view", "bmp", "log-retention 7"]).await;
    one.line("commit").await;
    let refused = two.line("!commit").await;
    assert!(refused.contains("Error: The configuration was changed by another user."), "{refused}");
    assert!(!engine.running().contains("log-retention"));
    two.lines(&["refresh configuration candidate", "commit"]).await;
    let running = engine.running();
    assert!(running.contains("statistics-timer 60") && running.contains("log-retention 7"), "{running}");
    assert_eq!(engine.twin.done(), ["settings", "settings"]);
}

local!(a_display_does_not_wait_for_a_commit, waits);
async fn waits() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let mut shells = [engine.shell().await, engine.shell().await, engine.shell().await];
    shells[0].lines(&["system-view", "bmp", "statistics-timer 60"]).await;
    shells[1].lines(&["system-view", "bmp", "log-retention 7"]).await;
    let leave = engine.twin.leave.acquire().await.unwrap();
    let commit = Request::Line(String::from("commit"));
    shells[0].send(&commit).await;
    shells[1].send(&commit).await;
    for _ in 0..3 {
        let text = shells[2].line("display bmp session").await;
        assert!(text.contains("192.0.2.1"), "{text}");
        let text = shells[2].line("display current-configuration").await;
        assert!(!text.contains("60") && !text.contains("log-retention"), "{text}");
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(engine.twin.done(), [""; 0], "the first one still waits");
    drop(leave);
    let mut refused = 0;
    for shell in &mut shells[..2] {
        match shell.reply().await {
            Reply::Said { text, refused: true, .. } => {
                assert!(text.starts_with("Error: The configuration was changed by another user."), "{text}");
                refused += 1;
            }
            Reply::Said { text, .. } => assert_eq!(text, ""),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 1, "both were typed to what was running before either");
    assert_eq!(engine.twin.done(), ["settings"]);
}

local!(what_is_refused_changes_nothing, refusals);
async fn refusals() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let before = engine.running();
    let mut shell = engine.shell().await;

    shell.lines(&["system-view", "bmp", "statistics-timer 60"]).await;
    *engine.twin.refusal.borrow_mut() = Some(String::from("This machine has no TCP-AO."));
    assert_eq!(shell.line("!commit").await, "Error: This machine has no TCP-AO.\n");
    *engine.twin.refusal.borrow_mut() = None;

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap();
    shell.line(&format!("telemetry listen port {}", at.port())).await;
    let text = shell.line("!commit").await;
    assert!(text.starts_with(&format!("Error: Telemetry cannot listen at {at}: ")), "{text}");

    shell.lines(&["clear configuration candidate", "return", "system-view", "bmp"]).await;
    shell.lines(&["bmp-session 192.0.2.1 alias twice", "tcp connect port 5000"]).await;
    let text = shell.line("!commit").await;
    assert!(text.starts_with("Error: ") && text.contains("192.0.2.1"), "{text}");

    assert_eq!(engine.twin.done(), [""; 0]);
    assert_eq!(engine.running(), before);
    assert_eq!(shell.prompt, "[*host1-bmp-session-192.0.2.1-twice]", "what was typed is not lost");
}

local!(what_is_saved_is_there_again, saves);
async fn saves() {
    let engine = Engine::new(ONE).await;
    let mut shell = engine.shell().await;
    shell
        .lines(&[
            "system-view",
            "bmp",
            "bmp-session 192.0.2.1",
            "tcp connect port 5000 password md5 s3cret-s3cret",
        ])
        .await;
    shell.lines(&["commit label secret", "return", "save"]).await;
    let saved = engine.file();
    assert_eq!(saved, engine.running());
    let shown = shell.line("display current-configuration").await;
    for (what, text) in [
        ("file", &saved),
        ("display", &shown),
        ("commits", &std::fs::read_to_string(engine.path("file.commits")).unwrap()),
    ] {
        assert!(text.contains("password md5 %^%#") && !text.contains("s3cret"), "{what}: {text}");
    }
    let engine = engine.again().await;
    assert_eq!(engine.running(), saved);
    let mut shell = engine.shell().await;
    let list = shell.line("display configuration commit list").await;
    assert!(list.contains("1000000001") && list.contains("secret") && list.contains("root"), "{list}");
    shell.line("rollback configuration last 1").await;
    assert_eq!(engine.running(), ONE);
    assert_eq!(engine.file(), saved);

    std::fs::write(engine.path("other"), "bmp\n statistics-timer 77\n").unwrap();
    shell.line("rollback configuration to file other").await;
    assert!(engine.running().contains("statistics-timer 77"));
    std::fs::write(engine.path("other"), "bmp\n statistics-timer 7\n").unwrap();
    let text = shell.line("!rollback configuration to file other").await;
    assert!(text.contains("other:2:19: Error: Wrong parameter"), "{text}");
    assert!(!text.contains("timer"), "{text}");
    for name in ["nowhere", "../etc", "file.key", ".."] {
        let text = shell.line(&format!("!rollback configuration to file {name}")).await;
        assert!(text.contains("Error: ") && !text.contains("heliograph-key"), "{name}: {text}");
    }
    std::fs::create_dir(engine.path("file.new")).unwrap();
    let text = shell.line("!save").await;
    assert!(text.starts_with("Error: ") && text.ends_with("The file is as it was.\n"), "{text}");
    assert_eq!(engine.file(), saved);
}

local!(the_file_is_one_commit, reloads);
async fn reloads() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let mut shell = engine.shell().await;
    shell.lines(&["system-view", "bmp", "statistics-timer 60"]).await;

    let bad = [
        "bmp\n statistics-timer 7\n",
        "bmp\n bmp-session 192.0.2.1\n  tcp connect port 5\n bmp-session 192.0.2.1 alias b\n  tcp connect port 5\n",
        "nonsense\n",
    ];
    for text in bad {
        std::fs::write(engine.path("file"), text).unwrap();
        engine.control.reload().await;
        assert_eq!(engine.running(), ONE, "{text:?}");
    }
    std::fs::remove_file(engine.path("file")).unwrap();
    engine.control.reload().await;
    assert_eq!(engine.running(), ONE, "there is no file");
    assert_eq!(engine.twin.done(), [""; 0]);

    std::fs::write(
        engine.path("file"),
        ONE.replace("5000", "5001").replace("bmp\n", "bmp\n stall-timer 9\n"),
    )
    .unwrap();
    engine.control.reload().await;
    assert_eq!(engine.twin.done(), ["settings", "change 192.0.2.1 AtReset"]);
    engine.control.reload().await;
    assert_eq!(engine.twin.done(), [""; 0], "it says the same as before");
    let text = shell.line("!commit").await;
    assert!(text.contains("changed by another user"), "{text}");
    let list = shell.line("display configuration commit list verbose").await;
    assert_eq!(list.matches("CommitId").count(), 1, "{list}");
    assert!(list.contains("User: root") && list.contains("User-Intf: file"), "{list}");
}

local!(a_trial_ends, trials);
async fn trials() {
    let engine = Engine::new(ONE).await;
    engine.twin.done();
    let ending = spawn_local({
        let control = engine.control.clone();
        async move { control.end_trials().await }
    });
    let mut shell = engine.shell().await;
    shell.lines(&["system-view", "bmp", "statistics-timer 60", "commit trial 60"]).await;
    let text = shell.line("!run save").await;
    assert!(text.starts_with("Error: A trial of root is running."), "{text}");
    assert_eq!(engine.file(), ONE);
    shell.line("abort trial").await;
    assert_eq!(engine.running(), ONE);
    assert_eq!(engine.twin.done(), ["settings", "settings"]);
    shell.line("!abort trial").await;

    // Shells do not take so short a one: by hand.
    let nothing = Arc::new(Tree::default());
    let trial = |trial_s| Proposal { trial_s, ..Proposal::new(nothing.clone(), "shell") };
    let seen = engine.control.store.borrow().id();
    engine.control.commit(&trial(Some(1)), "root", seen).await.unwrap();
    assert_eq!(engine.running(), render::text(&nothing, false));
    for _ in 0..200 {
        if engine.running() == ONE {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(engine.running(), ONE, "its time was up");
    assert_eq!(engine.twin.done().last().map(String::as_str), Some("add 192.0.2.1"));

    // One that is confirmed stays.
    let seen = engine.control.store.borrow().id();
    engine.control.commit(&trial(Some(1)), "root", seen).await.unwrap();
    let seen = engine.control.store.borrow().id();
    engine.control.commit(&trial(None), "root", seen).await.unwrap();
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(engine.running(), render::text(&nothing, false));
    ending.abort();
}

local!(what_is_shown_can_be_filtered, shows);
async fn shows() {
    let engine = Engine::new(ONE).await;
    let mut shell = engine.shell().await;
    let rows = [
        ("display bmp session", "192.0.2.1"),
        ("display bmp session | include 192", "192.0.2.1"),
        ("display bmp session | exclude 192", "Total number"),
        ("display bmp session 192.0.2.1 verbose", "BMP session 192.0.2.1"),
        ("!display bmp session 192.0.2.2 verbose", "Error: The BMP session does not exist."),
        ("!display bmp session | include (", "Error: "),
        ("!display keychain k", "Error: The keychain does not exist."),
    ];
    for (line, wanted) in rows {
        let text = shell.line(line).await;
        assert!(text.contains(wanted), "{line}: {text}");
        let excluded = line.contains("exclude") && text.contains("192");
        assert!(!excluded && text.ends_with('\n'), "{line}: {text}");
    }
    let is_json = |line: &str, text: &str| {
        let value: serde_json::Value =
            serde_json::from_str(text).unwrap_or_else(|error| panic!("{line}: {error}: {text}"));
        assert!(value.is_object() && text.contains("192.0.2.1"), "{line}: {text}");
    };
    for line in ["display bmp session | json", "display current-configuration | json"] {
        is_json(line, &shell.line(line).await);
    }
    shell.request(&Request::Hello { user: String::new(), json: true }).await;
    for line in
        ["display bmp session", "display bmp session 192.0.2.1 verbose", "display current-configuration"]
    {
        is_json(line, &shell.line(line).await);
    }
}
