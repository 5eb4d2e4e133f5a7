//! What a shell cannot do by itself.

use std::time::Duration;

use config::meaning;
use config::parse::Pipe;
use config::shell::{Ask, Display, Shell, Target, filter};
use jiff::Timestamp;
use tokio::time::timeout;

use super::{Control, Mirroring};
use crate::journal::Level;
use crate::show;

/// How long the thread that mirrors may take for a picture of itself.
const PICTURE_TIME: Duration = Duration::from_secs(10);

impl<M: Mirroring + 'static> Control<M> {
    /// Does what a shell asks for. `seen` is the id of what was running when its line was read. What is to be
    /// shown.
    ///
    /// # Errors
    /// It was refused: what is to be shown, `Error:` and all.
    pub(super) async fn answer(&self, ask: Ask, shell: &mut Shell, seen: u32) -> Result<String, String> {
        let user = shell.user().to_owned();
        match ask {
            Ask::Commit(proposal) => {
                let said = self.commit(&proposal, &user, seen).await?;
                shell.committed();
                Ok(said)
            }
            Ask::RollbackFile(name) => self.roll_back_to(&name, shell, seen).await,
            Ask::AbortTrial => self.abort_trial(&user).await,
            Ask::Save => self.save(&user).await,
            Ask::ResetSession(target) => {
                let whose = shown(&target);
                let count = self.mirroring.reset_sessions(target).await;
                self.note(&format!("{user} reset {count} BMP sessions ({whose})"));
                if count == 0 {
                    Err(String::from("Error: There is no BMP session to reset.\n"))
                } else {
                    Ok(String::new())
                }
            }
            Ask::ResetRouter(name) => {
                let count = self.mirroring.reset_routers(name.clone()).await;
                let whose = name.as_deref().unwrap_or("all");
                self.note(&format!("{user} reset {count} monitored routers ({whose})"));
                if count == 0 && name.is_some() {
                    return Err(String::from("Error: The monitored router does not exist.\n"));
                }
                Ok(String::new())
            }
            Ask::Display(display, pipe) => self.display(&display, pipe.as_ref()).await,
        }
    }

    fn note(&self, text: &str) {
        self.journal().say(Level::Notice, "shells", &text);
    }

    async fn display(&self, display: &Display, pipe: Option<&Pipe>) -> Result<String, String> {
        let error = |text: String| format!("Error: {text}\n");
        let json = pipe == Some(&Pipe::Json);
        let text = if let Display::Keychain(name, key) = display {
            self.keychain(name, *key, json).map_err(error)?
        } else {
            let picture = timeout(PICTURE_TIME, self.mirroring.picture()).await;
            let picture = picture.map_err(|_| error(String::from("The mirror does not answer.")))?;
            if json {
                let value = show::json(&picture, display).map_err(error)?;
                format!("{value:#}\n")
            } else {
                show::text(&picture, display).map_err(error)?
            }
        };
        pipe.map_or(Ok(text.clone()), |pipe| filter(&text, pipe)).map_err(error)
    }

    fn keychain(&self, name: &str, id: Option<u8>, json: bool) -> Result<String, String> {
        let running = self.store.borrow().running().clone();
        let keychain = meaning::keychain(&running, &self.place.vault, name).ok_or_else(|| {
            format!(
                "There is no keychain {name} that is complete. See display current-configuration configuration keychain."
            )
        })?;
        let keychain = &*keychain;
        let good = keychain.at(Timestamp::now(), &self.place.zone);
        if json {
            show::keychain_json(keychain, &good, id).map(|value| format!("{value:#}\n"))
        } else {
            show::keychain(keychain, &good, id, &self.place.zone)
        }
    }
}

fn shown(target: &Target) -> String {
    match target {
        Target::All => String::from("all"),
        Target::Instance(name) => format!("vpn-instance {name}"),
        Target::One(key) => key.to_string(),
    }
}
