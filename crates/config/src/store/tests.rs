use jiff::tz::TimeZone;

use super::*;
use crate::load::load;
use crate::secret::Vault;

fn vault() -> Vault {
    Vault::new([3; 32])
}

fn tree(text: &str) -> Tree {
    load(text, &vault(), &mut |octets| octets.fill(9)).expect("a configuration").tree
}

fn named(number: usize) -> Proposal {
    let mut proposal = Proposal::new(Arc::new(tree(&format!("sysname n{number}\n"))), "shell");
    proposal.label = (number % 2 == 1).then(|| format!("l{number}").into());
    proposal.description = number.is_multiple_of(3).then(|| format!("the {number}. one").into());
    proposal
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + i64::try_from(second).expect("soon")).expect("a time")
}

/// After so many commits, the last one on trial if that is said.
fn after(commits: usize, trial: bool) -> Store {
    let mut store = Store::new(tree("sysname begin\n"));
    for number in 1..=commits {
        let mut proposal = named(number);
        proposal.trial_s = (trial && number == commits).then_some(60);
        let id = store.commit(&proposal, "me", at(number)).expect("nothing against it");
        assert_eq!(id as usize, 1_000_000_000 + number);
    }
    store
}

#[test]
fn the_last_ten_are_kept_and_what_was_before_them() {
    for commits in 0..25 {
        let store = after(commits, false);
        let kept = commits.min(COMMITS_MAX);
        assert_eq!(store.commits().count(), kept);
        for back in 0..=kept {
            let expected = match commits - back {
                0 => tree("sysname begin\n"),
                number => (*named(number).tree).clone(),
            };
            assert_eq!(*store.rollback(Rollback::Last(back)).expect("kept"), expected, "{commits} {back}");
        }
        assert!(store.rollback(Rollback::Last(kept + 1)).is_err(), "{commits}");
    }
}

#[test]
fn a_restart_keeps_the_commits() {
    for commits in 0..13 {
        let store = after(commits, false);
        let text = store.to_text();
        let again = |running: &Tree| {
            Store::from_text(&text, running.clone(), at(100), &vault(), &mut |octets| octets.fill(1))
                .expect("ours")
        };
        let same = again(store.running());
        assert_eq!(same.to_text(), text, "{commits}");
        assert_eq!((same.id(), same.is_saved()), (store.id(), true), "{commits}");
        assert_eq!(same.list(true, &TimeZone::UTC), store.list(true, &TimeZone::UTC), "{commits}");

        // Somebody has edited the file meanwhile.
        let other = again(&tree("sysname other\n"));
        assert_eq!(other.id(), store.id() + 1, "{commits}");
        let newest = other.commits().next().expect("one more");
        assert_eq!((&*newest.user, &*newest.line), ("heliograph", "file"), "{commits}");
        assert_eq!(other.rollback(Rollback::Last(1)).as_ref(), Ok(store.running()), "{commits}");
    }
}

#[test]
fn a_restart_ends_a_trial() {
    for commits in 1..13 {
        let store = after(commits, true);
        let before = after(commits - 1, false);
        let text = store.to_text();
        let again = Store::from_text(&text, (**before.running()).clone(), at(99), &vault(), &mut |_| ())
            .expect("ours");
        assert_eq!(again.running(), before.running(), "{commits}");
        assert_eq!(again.id(), before.id(), "{commits}");
        assert!(again.trial().is_none());
    }
}

#[test]
fn a_restart_ends_a_trial_that_pushed_out_all_before_it() {
    let mut store = after(3, false);
    for number in 4..20 {
        let mut proposal = named(number);
        proposal.trial_s = Some(60);
        let _ = store.commit(&proposal, "me", at(number)).expect("my own trial");
    }
    let text = store.to_text();
    assert_eq!(text.lines().count(), 1, "{text}");
    let running = (*named(3).tree).clone();
    let again = Store::from_text(&text, running, at(99), &vault(), &mut |_| ()).expect("ours");
    assert_eq!((again.id(), again.commits().count()), (1_000_000_003, 0));
    assert_eq!(store.abort(), Some(named(3).tree));
    assert_eq!((store.id(), store.to_text()), (1_000_000_003, text));
}

#[test]
fn what_is_no_list_of_commits_is_refused_by_its_line() {
    let good = after(2, false).to_text();
    let lines: Vec<&str> = good.lines().collect();
    let rows = [
        ("nonsense\n".to_owned(), "Line 1 "),
        (format!("{}\n{}\n", lines[0], &lines[1][..20]), "Line 2 "),
        (format!("{}\n{}\n{}\n", lines[0], lines[2], lines[1]), "Line 3 "),
        (good.replace("sysname n2", "sysnam3 n2"), "Line 3 "),
        (good.replace("sysname n1", "telemetry"), "Line 2 "),
    ];
    for (text, expected) in rows {
        let refusal =
            Store::from_text(&text, Tree::default(), at(0), &vault(), &mut |_| ()).expect_err(&text);
        assert!(refusal.starts_with(expected), "{text}: {refusal}");
    }
    let none = Store::from_text("", Tree::default(), at(0), &vault(), &mut |_| ()).expect("no commits yet");
    assert_eq!(none.commits().count(), 0);
}

#[test]
fn saved_is_what_the_file_holds() {
    let mut store = after(0, false);
    assert!(store.is_saved());
    let _ = store.commit(&named(1), "me", at(1));
    assert!(!store.is_saved());
    store.mark_saved();
    assert!(store.is_saved());
    let mut proposal = named(2);
    proposal.trial_s = Some(60);
    let _ = store.commit(&proposal, "me", at(2));
    assert!(!store.is_saved());
    assert_eq!(store.expire(at(61)), None);
    assert_eq!(store.trial_due(), Some(at(62)));
    assert_eq!(store.expire(at(62)).as_ref(), Some(store.running()));
    assert_eq!(store.expire(at(63)), None);
    assert!(store.is_saved());
}

#[test]
fn cells_that_are_too_long_push_the_rest_on() {
    let mut store = after(1, false);
    let mut proposal = named(3);
    proposal.label = Some("a-label-that-is-longer-than-its-column".into());
    let _ = store.commit(&proposal, "me", at(2));
    let text = store.list(false, &TimeZone::UTC);
    let row = text.lines().nth(2).expect("the youngest");
    assert_eq!(
        row,
        "1000000002  a-label-that-is-longer-than-its-column me              shell      Commit    \
         2027-01-15 08:00:02  the 3. one"
    );
}
