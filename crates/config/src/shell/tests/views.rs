//! Views, and that it is the same configuration whichever way one gets there.

use super::*;

#[test]
fn views_are_entered_and_left() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]bmp-session 10.1.1.1
a|[*H-bmp-session-10.1.1.1]quit
a|[*H-bmp]bmp-session 2001:db8:1::1 alias a
a|[*H-bmp-session-2001:DB8:1::1-a]tcp connect port 5000
a|[*H-bmp-session-2001:DB8:1::1-a]monitor public
a|[*H-bmp-session-2001:DB8:1::1-a-public]commit
  (shell 1000000001)
a|[~H-bmp-session-2001:DB8:1::1-a-public]commit
  Info: The configuration has not changed.
a|[~H-bmp-session-2001:DB8:1::1-a-public]return
a|<H>sys
  Enter system view, return user view with return command.
a|[~H]keychain K mode absolute
a|[*H-keychain-k]key-id 1
a|[*H-keychain-k-keyid-1]quit
a|[*H-keychain-k]quit
a|[*H]undo keychain k
a|[~H]sysname mirror1
a|[*H]commit label first description what it is for
  (shell 1000000002)
a|[~mirror1]quit
a|<mirror1>quit
  (left)
",
    );
}

#[test]
fn a_refresh_leaves_views_that_are_gone() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]bmp-session 10.0.0.1
a|[*H-bmp-session-10.0.0.1]commit
  (shell 1000000001)
a|[~H-bmp-session-10.0.0.1]monitor public
b|<H>system-view immediately
  Enter system view, return user view with return command.
b|[H]bmp
b|[H-bmp]undo bmp-session 10.0.0.1
  (shell 1000000002)
a|[*H-bmp-session-10.0.0.1-public]refresh configuration candidate
  Error: Kept out: monitor public (in bmp, bmp-session 10.0.0.1): The view is not part of the configuration any more. Run return and enter it anew.
a|[~H-bmp]quit
",
    );
}

#[test]
fn a_view_that_others_removed_takes_no_line() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]bmp
a|[*H-bmp]commit
  (shell 1000000001)
b|<H>system-view immediately
  Enter system view, return user view with return command.
b|[H]undo bmp
  (shell 1000000002)
a|[~H-bmp]statistics-timer 60
  Error: The view is not part of the configuration any more. Run return and enter it anew.
a|[~H-bmp]display this
a|[~H-bmp]clear configuration candidate
a|[~H]bmp
a|[*H-bmp]clear configuration candidate
a|[~H]
",
    );
}

#[test]
fn who_leaves_with_a_candidate_is_asked() {
    conversation(
        "
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]sysname one
a|[*H]quit
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:what
  Error: Please answer Y to commit, N to discard, or C to stay.
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:c
a|[*H]bmp
a|[*H-bmp]return
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:N
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]sysname two
a|[*H]bmp
a|[*H-bmp]\u{1a}
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:y
  (shell 1000000001)
a|<two>system-view
  Enter system view, return user view with return command.
a|[~two]sysname three
b|<two>system-view immediately
  Enter system view, return user view with return command.
b|[two]sysname four
  (shell 1000000002)
a|[*four]quit
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:y
  Error: The configuration was changed by another user. Run refresh configuration candidate.
a|[*four]quit
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:n
a|<four>quit
  (left)
",
    );
}

#[test]
fn immediately_is_a_commit_a_line() {
    conversation(
        r"
a|<H>system-view immediately
  Enter system view, return user view with return command.
a|[H]bmp
  (shell 1000000001)
a|[H-bmp]bmp
a|[H-bmp]bmp-session 10.0.0.1
  (shell 1000000002)
a|[H-bmp-session-10.0.0.1]tcp connect port 5000
  (shell 1000000003)
a|[H-bmp-session-10.0.0.1]tcp connect port 5000
a|[H-bmp-session-10.0.0.1]undo tcp connect port 5001
  Error: The TCP connection port of the BMP session is 5000, not 5001.
a|[H-bmp-session-10.0.0.1]undo bmp-session 10.0.0.1
  (shell 1000000004)
a|[H-bmp]display this
  #
  bmp
  #
  return
a|[H-bmp]return
a|<H>
",
    );
}

#[test]
fn what_is_pasted_finds_its_views() {
    conversation(
        r"
a|<H>system-view
  Enter system view, return user view with return command.
a|[~H]#
a|[~H]bmp
a|[*H-bmp] statistics-timer 60
a|[*H-bmp] bmp-session 192.0.2.10 alias b
a|[*H-bmp-session-192.0.2.10-b]  tcp connect port 5000
a|[*H-bmp-session-192.0.2.10-b]  monitor public
a|[*H-bmp-session-192.0.2.10-b-public]   route-mode ipv4-family unicast adj-rib-in pre-policy
a|[*H-bmp-session-192.0.2.10-b-public] bmp-session 192.0.2.11
a|[*H-bmp-session-192.0.2.11]  tcp connect port 5001
a|[*H-bmp-session-192.0.2.11]#
a|[*H-bmp-session-192.0.2.11]keychain k mode absolute
a|[*H-keychain-k]#
a|[*H-keychain-k]display configuration candidate
  #
  bmp
   statistics-timer 60
   bmp-session 192.0.2.10 alias b
    tcp connect port 5000
    monitor public
     route-mode ipv4-family unicast adj-rib-in pre-policy
   bmp-session 192.0.2.11
    tcp connect port 5001
  #
  keychain k mode absolute
a|[*H-keychain-k]display configuration candidate merge | begin keychain
  keychain k mode absolute
  #
  bmp
   statistics-timer 60
   bmp-session 192.0.2.10 alias b
    tcp connect port 5000
    monitor public
     route-mode ipv4-family unicast adj-rib-in pre-policy
   bmp-session 192.0.2.11
    tcp connect port 5001
  #
  return
a|[*H-keychain-k]return
a|Warning: There are uncommitted changes. Commit them before leaving? [Y/N/C]:y
  (shell 1000000001)
a|<H>display current-configuration configuration bmp-session 192.0.2.11
  #
  bmp
   bmp-session 192.0.2.11
    tcp connect port 5001
  #
  return
a|<H>display current-configuration configuration ospf
  Info: There is no such section in the configuration.
",
    );
}

/// Lines that an operator may type in any order; some of them are refused.
const LINES: &[&str] = &[
    "sysname one",
    "undo sysname",
    "sysname two",
    "bmp",
    "undo bmp",
    "statistics-timer 60",
    "undo statistics-timer",
    "undo statistics-timer 61",
    "bmp-session 10.0.0.1",
    "bmp-session 10.0.0.1 alias a",
    "bmp-session 2001:db8::1",
    "undo bmp-session 10.0.0.1",
    "tcp connect port 5000",
    "tcp connect port 5000 password md5 secret",
    "undo tcp connect port",
    "undo tcp connect port 5001",
    "connect-interface 192.0.2.1",
    "connect-interface 2001:db8::2",
    "shutdown",
    "undo shutdown",
    "monitor public",
    "monitor peer 10.0.0.9",
    "undo monitor public",
    "route-mode ipv4-family unicast adj-rib-in pre-policy",
    "undo route-mode ipv4-family unicast adj-rib-in pre-policy",
    "keychain k",
    "keychain k mode absolute",
    "undo keychain k",
    "key-id 1",
    "key-string secret",
    "nonsense",
];

/// Numbers that look random and are the same each time.
fn numbers(seed: u64) -> impl Iterator<Item = usize> {
    let step = |last: &u64| {
        Some(last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407))
    };
    std::iter::successors(Some(seed), step).map(|number| usize::try_from(number >> 40).expect("24 bits"))
}

#[test]
fn at_once_or_in_two_stages_comes_to_the_same() {
    for seed in 0..60 {
        let (mut at_once, mut each, mut end) = (Room::new(), Room::new(), Room::new());
        let _ = at_once.types('a', "system-view immediately");
        let _ = each.types('a', "system-view");
        let _ = end.types('a', "system-view");
        for number in numbers(seed).skip(1).take(60) {
            let line = LINES[number % LINES.len()];
            let said =
                [&mut at_once, &mut each, &mut end].map(|room| room.types('a', line).contains("Error:"));
            assert!(said == [said[0]; 3], "seed {seed}, {line}: {said:?}");
            let _ = each.types('a', "commit");
            let views = |room: &mut Room| room.prompt('a').split_once('-').map(|(_, views)| views.to_owned());
            let seen = [&mut at_once, &mut each, &mut end].map(views);
            assert!(seen.iter().all(|views| *views == seen[0]), "seed {seed}, {line}: {seen:?}");
            assert_eq!(at_once.store.running(), each.store.running(), "seed {seed}, {line}");
            // What is kept of a candidate is enough to make it again.
            let _ = end.types('a', "refresh configuration candidate");
            let typed = end.with('a', |shell, around| shell.tree(around.store).clone());
            assert_eq!(**each.store.running(), typed, "seed {seed}, {line}");
        }
        let _ = end.types('a', "commit");
        assert_eq!(each.store.running(), end.store.running(), "seed {seed}");
        assert!(end.store.commits().count() <= 1, "seed {seed}");
    }
}
