//! Candidates, commits, trials and ways back, by one operator and by two.

use super::*;

#[test]
fn a_candidate_does_not_undo_what_others_committed() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
b|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]bmp-session 10.0.0.1
a|[*H-bmp-session-10.0.0.1]tcp connect port 5000
a|[*H-bmp-session-10.0.0.1]commit
  (shell 1000000001)
a|[~H-bmp-session-10.0.0.1]shutdown
a|[*H-bmp-session-10.0.0.1]undo tcp connect port
b|[~H]bmp
b|[~H-bmp]undo bmp-session 10.0.0.1
b|[*H-bmp]statistics-timer 60
b|[*H-bmp]commit
  (shell 1000000002)
a|[*H-bmp-session-10.0.0.1]quit
a|[*H-bmp]log-retention 8
a|[*H-bmp]commit
  Error: The configuration was changed by another user. Run refresh configuration candidate.
a|[*H-bmp]refresh configuration candidate
  Error: Kept out: shutdown (in bmp, bmp-session 10.0.0.1): The view is not part of the configuration any more. Run return and enter it anew.
  Error: Kept out: undo tcp connect port (in bmp, bmp-session 10.0.0.1): The view is not part of the configuration any more. Run return and enter it anew.
a|[*H-bmp]display configuration candidate
  #
  bmp
   log-retention 8
a|[*H-bmp]commit
  (shell 1000000003)
a|[~H-bmp]statistics-timer 60
a|[~H-bmp]statistics-timer 61
a|[*H-bmp]statistics-timer 61
a|[*H-bmp]undo shutdown
               ^
  Error: Unrecognized command found at '^' position.
a|[*H-bmp]display configuration candidate
  #
  bmp
   statistics-timer 61
a|[*H-bmp]display configuration candidate changes
   bmp
  - statistics-timer 60
  + statistics-timer 61
a|[*H-bmp]statistics-timer 60
a|[~H-bmp]display current-configuration
  #
  bmp
   statistics-timer 60
   log-retention 8
  #
  return
b|[~H-bmp]quit
b|[~H]return
",
    );
}

#[test]
fn the_same_change_by_two_is_seen_by_a_refresh() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]sysname x
b|<H>system-view
  Enter system view, return user view with return command.
b|[~H]sysname x
b|[*H]commit
  (shell 1000000001)
a|[*x]commit
  Error: The configuration was changed by another user. Run refresh configuration candidate.
a|[*x]refresh configuration candidate
a|[~x]commit
  Info: The configuration has not changed.
a|[~x]bmp
b|[~x]undo sysname
b|[*x]commit
  (shell 1000000002)
a|[*H-bmp]quit
",
    );
}

#[test]
fn what_others_took_back_themselves_is_no_clash() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
b|<H>system-view immediately
  Enter system view, return user view with return command.
b|[H]sysname x
  (shell 1000000001)
b|[x]undo sysname
  (shell 1000000002)
a|[*H-bmp]commit
  (shell 1000000003)
",
    );
}

#[test]
fn what_the_engine_refuses_stays_a_candidate() {
    let mut room = conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]sysname x
",
    );
    room.refuses = true;
    proceeds(
        &mut room,
        r"
a|[*H]commit
  Error: The engine is against it.
a|[*H]run rollback configuration to file old.cfg
  (went back to old.cfg)
a|[*H]quit
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:y
  Error: The engine is against it.
a|[*H]bmp
a|[*H-bmp]
",
    );
}

#[test]
fn a_trial_ends_by_itself_or_stays() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]abort trial
  Error: No trial is running.
a|[~H]sysname first
a|[*H]commit
  (shell 1000000001)
a|[~first]sysname second
a|[*first]commit trial 60 label t
  (shell 1000000002)
a|[~second]save
  Error: A trial of a is running. Commit to confirm it, or run abort trial, before you save.
+59
b|<second>system-view
  Enter system view, return user view with return command.
b|[~second]bmp
b|[*second-bmp]commit
  Error: A trial of a is running, begun in another shell. Wait for its end, or run abort trial, or commit without changes to confirm it.
+1 (taken back)
b|[*first-bmp]commit
  Error: The configuration was changed by another user. Run refresh configuration candidate.
b|[*first-bmp]refresh configuration candidate
b|[*first-bmp]commit
  (shell 1000000003)
a|[~first]display configuration commit list
  CommitId    Label             User            User-Intf  Type      TimeStamp            Description
  ---------------------------------------------------------------------------------------------------
  1000000003  -                 b               shell      Commit    2026-03-01 12:01:00  -
  1000000001  -                 a               shell      Commit    2026-03-01 12:00:00  -
a|[~first]sysname third
a|[*first]commit trial
  (shell 1000000004)
+599
a|[~third]commit label kept
  (shell 1000000004)
+2
a|[~third]sysname other
a|[*third]commit trial 60
  (shell 1000000005)
b|[~other-bmp]commit trial
  Info: The configuration has not changed.
b|[~other-bmp]commit description as it is
  (shell 1000000005)
+60
a|[~other]run rollback configuration last 1
  (rollback 1000000006)
a|[~third]sysname fourth
a|[*third]commit trial 60
  (shell 1000000007)
a|[~fourth]sysname fifth
a|[*fourth]commit trial 100
  (shell 1000000008)
+60
b|[~fifth-bmp]abort trial
  (taken back: true)
a|[~third]sysname sixth
a|[*third]commit trial 60
  (shell 1000000009)
a|[~sixth]sysname seventh
a|[*sixth]commit
  (shell 1000000010)
+60
a|[~seventh]save
  (saved)
",
    );
}

#[test]
fn a_trial_that_pushed_out_all_before_it_goes_back_all_the_same() {
    let mut room = Room::new();
    let _ = room.types('a', "system-view");
    for name in 0..15 {
        let _ = room.types('a', &format!("sysname n{name}"));
        let said = room.types('a', "commit trial");
        assert!(said.starts_with("(shell "), "{name}: {said}");
    }
    proceeds(
        &mut room,
        r"
a|[~n14]abort trial
  (taken back: true)
a|[~H]display configuration commit list verbose
a|[~H]run rollback configuration last 1
  Error: There are 0 commits to go back by, not 1. See display configuration commit list.
",
    );
}

#[test]
fn rollback_goes_to_what_was() {
    let mut room = Room::new();
    let _ = room.types('a', "system-view");
    for name in ["one", "two", "three"] {
        let _ = room.types('a', &format!("sysname {name}"));
        let _ = room.types('a', &format!("commit label L{name}"));
    }
    proceeds(
        &mut room,
        r"
a|[~three]sysname four
a|[*three]commit label Ltwo
  Error: The label Ltwo is that of commit 1000000002. Choose another one.
a|[*three]clear configuration candidate
a|[~three]bmp
a|[*three-bmp]run rollback configuration to commit-id 1000000001
  (rollback 1000000004)
a|[*one-bmp]run rollback configuration to commit-id 1000000003
  (rollback 1000000005)
a|[*three-bmp]run rollback configuration to label Lone
  (rollback 1000000006)
a|[*one-bmp]commit
  Error: The configuration was changed by another user. Run refresh configuration candidate.
a|[*one-bmp]clear configuration candidate
a|[~one]return
a|<one>rollback configuration to label Ltwo
  (rollback 1000000007)
a|<two>rollback configuration last 1
  (rollback 1000000008)
a|<one>rollback configuration last 8
  (rollback 1000000009)
a|<H>rollback configuration last 10
  Error: There are 9 commits to go back by, not 10. See display configuration commit list.
a|<H>rollback configuration to label none
  Error: There is no commit with the label none. See display configuration commit list.
a|<H>rollback configuration to commit-id 7
  Error: There is no commit 7; the last 10 are kept. See display configuration commit list.
a|<H>rollback configuration to commit-id 1000000009
  Info: The configuration has not changed.
a|<H>rollback configuration to file old.cfg
  (went back to old.cfg)
a|<H>display configuration commit list | include Rollback
  1000000009  -                 a               shell      Rollback  2026-03-01 12:00:00  -
  1000000008  -                 a               shell      Rollback  2026-03-01 12:00:00  -
  1000000007  -                 a               shell      Rollback  2026-03-01 12:00:00  -
  1000000006  -                 a               shell      Rollback  2026-03-01 12:00:00  -
  1000000005  -                 a               shell      Rollback  2026-03-01 12:00:00  -
  1000000004  -                 a               shell      Rollback  2026-03-01 12:00:00  -
",
    );
}

#[test]
fn a_candidate_has_a_limit() {
    let mut room = Room::new();
    let _ = room.types('a', "system-view");
    for index in 0..EDITS_MAX {
        let said = room.types('a', if index % 2 == 0 { "sysname even" } else { "sysname odd" });
        assert!(index == 0 || said.is_empty(), "{index}: {said}");
    }
    let said = room.types('a', "sysname one-too-many");
    assert!(said.starts_with("Error: The candidate has 65536 changes"), "{said}");
    assert_eq!(room.types('a', "commit"), "(shell 1000000001)\n");
    assert_eq!(room.prompt('a'), "[~odd]");
}
