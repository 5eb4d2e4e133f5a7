//! One thread, by hand: a row is what is done and what is seen.

use std::sync::Arc;

use super::super::{Chunk, Log, MESSAGE_MAX, Note, Pool, Read, Reader, TooLong, Usage};
use super::octets;

fn append(log: &mut Log, len: usize) {
    let message = octets(log.end(), len);
    log.append(&message).expect("short enough");
}

/// Reads once and is done with all of it; says where it was.
fn take(reader: &mut Reader, cap: usize) -> String {
    match reader.read(cap) {
        Read::Data(chunk) => {
            assert_eq!(*chunk, octets(chunk.position(), chunk.len()));
            assert_eq!(chunk.position(), reader.position());
            reader.advance(chunk.len());
            assert!(reader.at_boundary());
            format!("{}+{}", chunk.position(), chunk.len())
        }
        other => format!("{other:?}"),
    }
}

fn chunk(reader: &mut Reader, cap: usize) -> Chunk {
    match reader.read(cap) {
        Read::Data(chunk) => chunk,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reader_begins_where_it_subscribed_and_sees_what_is_published() {
    let mut log = Log::new(&Pool::new(64, 1), 256);
    append(&mut log, 10);
    // Committed, so a catch-up has told of it; published only later.
    let mut reader = log.subscribe();
    assert_eq!((take(&mut reader, 99), reader.ready()), ("Idle".into(), false));
    assert!(log.publish());
    assert_eq!((take(&mut reader, 99), reader.ready(), reader.behind()), ("Idle".into(), false, 0));
    append(&mut log, 7);
    append(&mut log, 8);
    assert_eq!(take(&mut reader, 99), "Idle");
    assert!(log.publish());
    assert!(!log.publish());
    assert_eq!((reader.ready(), reader.behind()), (true, 15));
    assert_eq!(take(&mut reader, 99), "10+15");
    assert_eq!((reader.position(), log.end()), (25, 25));
}

/// The end of a segment shows what was committed; the one who asks `publish` hears of it all the same.
#[test]
fn news_is_told_once_however_it_got_out() {
    let mut log = Log::new(&Pool::new(64, 1), 256);
    let mut reader = log.subscribe();
    assert!(!log.publish());
    append(&mut log, 50);
    assert_eq!(log.reserve(50).expect("short").len(), 64);
    assert_eq!(take(&mut reader, 99), "0+50");
    assert_eq!((log.publish(), log.publish()), (true, false));
    assert_eq!((take(&mut reader, 99), reader.ready()), ("Idle".into(), false));
}

#[test]
fn what_is_read_ends_where_a_commit_ends() {
    // Grains of an octet, of 4 and of 1024: caps, and the chunks they lead to.
    let rows: [(usize, &[usize], usize, &[&str]); 8] = [
        (64, &[10, 10, 10], 10, &["0+10", "10+10", "20+10", "Idle"]),
        (64, &[10, 10, 10], 29, &["0+20", "20+10", "Idle"]),
        (64, &[10, 10, 10], 30, &["0+30", "Idle"]),
        (64, &[10, 30, 10], 11, &["0+10", "10+30", "40+10", "Idle"]),
        (64, &[40, 10, 20], 0, &["0+40", "40+10", "50+20", "Idle"]),
        (2048, &[6, 1, 1, 1, 6, 6], 8, &["0+6", "6+3", "9+6", "15+6", "Idle"]),
        (2048, &[3, 3, 3, 3], 0, &["0+3", "3+3", "6+3", "9+3", "Idle"]),
        (512 << 10, &[150; 20], 1500, &["0+1050", "1050+1050", "2100+900", "Idle"]),
    ];
    for (segment_len, commits, cap, chunks) in rows {
        let mut log = Log::new(&Pool::new(segment_len, 1), 4 * segment_len);
        let mut reader = log.subscribe();
        for &len in commits {
            append(&mut log, len);
        }
        log.publish();
        let got: Vec<String> = chunks.iter().map(|_| take(&mut reader, cap)).collect();
        assert_eq!(got, chunks, "segments of {segment_len}, {commits:?} read by {cap}");
    }
}

#[test]
fn a_partial_send_resumes_inside_a_message_with_what_came_since() {
    let mut log = Log::new(&Pool::new(64, 1), 256);
    let mut reader = log.subscribe();
    append(&mut log, 20);
    log.publish();
    assert_eq!(chunk(&mut reader, 99).len(), 20);
    assert!(reader.at_boundary(), "shown, not taken");
    reader.advance(5);
    assert_eq!((reader.position(), reader.behind(), reader.at_boundary()), (5, 15, false));
    append(&mut log, 20);
    log.publish();
    assert_eq!(chunk(&mut reader, 0).len(), 15, "the rest of the message, to leave");
    assert_eq!(take(&mut reader, 99), "5+35");
}

#[test]
#[should_panic(expected = "6 octets done of 5")]
fn nobody_is_done_with_more_than_was_shown() {
    let mut log = Log::new(&Pool::new(64, 1), 256);
    let mut reader = log.subscribe();
    append(&mut log, 5);
    log.publish();
    reader.read(99);
    reader.advance(6);
}

#[test]
#[should_panic(expected = "61 octets committed, there is room for 60")]
fn nobody_commits_more_than_there_is_room() {
    let mut log = Log::new(&Pool::new(64, 1), 256);
    append(&mut log, 4);
    assert_eq!(log.reserve(7).expect("short").len(), 60);
    log.commit(61);
}

#[test]
fn a_long_message_gets_a_segment_of_its_own_size_up_to_a_limit() {
    let pool = Pool::new(64, 4);
    let mut log = Log::new(&pool, 4096);
    let mut reader = log.subscribe();
    for len in [60, 1000, 10, 64, 65] {
        append(&mut log, len);
    }
    log.publish();
    let got: Vec<String> = (0..6).map(|_| take(&mut reader, 4096)).collect();
    assert_eq!(got, ["0+60", "60+1000", "1060+10", "1070+64", "1134+65", "Idle"]);
    assert_eq!(pool.usage(), Usage { retained: 3 * 64 + 1000 + 65, stragglers: 0, pooled: 0 });

    let refused = TooLong { wanted: MESSAGE_MAX + 1, most: MESSAGE_MAX };
    assert_eq!(log.reserve(MESSAGE_MAX + 1).err(), Some(refused));
    assert_eq!(refused.to_string(), "a message of 1048577 octets, the log takes at most 1048576");
    assert_eq!(log.end(), 1199, "and the log goes on as if nothing had been");
    append(&mut log, 1);
    log.publish();
    assert_eq!(take(&mut reader, 4096), "1199+1");
    // Longer than the budget: it is all that is kept, until the next.
    append(&mut log, 5000);
    assert_eq!((log.retained(), pool.usage().retained), (5000, 5000));
    append(&mut log, 1);
    assert_eq!(log.retained(), 64);
    drop((log, reader));
    // Only those of the usual size wait.
    assert_eq!(pool.usage(), Usage { retained: 0, stragglers: 0, pooled: 4 * 64 });
}

#[test]
fn falling_off_is_a_return_value_at_the_end_of_a_segment() {
    let pool = Pool::new(64, 8);
    let mut log = Log::new(&pool, 128);
    let mut slow = log.subscribe();
    let mut quick = log.subscribe();
    for _ in 0..4 {
        append(&mut log, 50);
        log.publish();
        assert_eq!(take(&mut quick, 99).split_once('+').expect("data").1, "50");
    }
    // Two are kept, the reader stands in the first, the second is gone: its memory is the fourth.
    assert_eq!(pool.usage(), Usage { retained: 128, stragglers: 64, pooled: 0 });
    assert!(slow.cut_off() && !quick.cut_off());
    assert_eq!(slow.behind(), 200);
    assert_eq!(take(&mut slow, 99), "0+50");
    assert_eq!((take(&mut slow, 99), take(&mut slow, 99)), ("Fell".into(), "Fell".into()));
    assert!(slow.ready() && slow.at_boundary());
    assert_eq!((slow.position(), slow.behind()), (50, 150));
    assert_eq!(take(&mut quick, 99), "Idle");
    drop(slow);
    assert_eq!(pool.usage(), Usage { retained: 128, stragglers: 0, pooled: 64 });
    // A smaller budget acts at once.
    log.set_budget(0);
    assert_eq!(pool.usage(), Usage { retained: 64, stragglers: 0, pooled: 128 });
    append(&mut log, 60);
    log.publish();
    assert_eq!((log.retained(), take(&mut quick, 99)), (64, "200+60".into()));
}

#[test]
fn a_closed_log_is_read_to_its_end() {
    let mut log = Log::new(&Pool::new(64, 8), 64);
    let mut slow = log.subscribe();
    append(&mut log, 50);
    let mut reader = log.subscribe();
    append(&mut log, 10);
    drop(log);
    assert_eq!(reader.behind(), 10, "what was committed is published with the end");
    assert_eq!((take(&mut reader, 99), take(&mut reader, 99)), ("50+10".into(), "Closed".into()));
    assert_eq!((take(&mut slow, 99), take(&mut slow, 99)), ("0+60".into(), "Closed".into()));
    assert!(slow.ready() && !slow.cut_off());

    let mut log = Log::new(&Pool::new(64, 8), 64);
    let mut slow = log.subscribe();
    append(&mut log, 50);
    append(&mut log, 50);
    drop(log);
    assert_eq!((take(&mut slow, 99), take(&mut slow, 99)), ("0+50".into(), "Fell".into()));
}

/// The note of a reader's segment, or a dash.
fn note(reader: &Reader) -> String {
    match reader.note() {
        Some(note) => note.downcast_ref::<u64>().expect("a number").to_string(),
        None => "-".into(),
    }
}

#[test]
fn a_segment_ends_with_the_note_that_was_set_last() {
    // A digit sets it as a note, + appends a message that needs a segment of its own, x drops the log;
    // and what readers find then, one in each segment.
    let rows = [
        ("+", "-"),
        ("1+", "-"),
        ("++", "- -"),
        ("1++", "1 -"),
        ("+1+", "1 -"),
        ("++1", "- -"),
        ("+12+", "2 -"),
        ("1++2", "1 -"),
        ("1+2+3+", "2 3 -"),
        ("1+++2+", "1 1 2 -"),
        ("+x", "-"),
        ("1+x", "1"),
        ("1+2x", "2"),
        ("1++x", "1 1"),
        ("++1x", "- 1"),
    ];
    for budget in [0, 1024] {
        for (steps, notes) in rows {
            let mut log = Some(Log::new(&Pool::new(64, 1), budget));
            let mut readers = Vec::new();
            for step in steps.chars() {
                let open = log.as_mut().expect("it was not dropped");
                match step.to_digit(10) {
                    Some(digit) => open.set_note(Arc::new(u64::from(digit))),
                    None if step == '+' => {
                        append(open, 64);
                        readers.push(open.subscribe());
                    }
                    None => drop(log.take()),
                }
            }
            let got: Vec<String> = readers.iter().map(note).collect();
            assert_eq!(got.join(" "), notes, "{steps} with a budget of {budget}");
        }
    }
}

#[test]
fn who_falls_off_finds_what_was_true_there() {
    let mut log = Log::new(&Pool::new(64, 8), 128);
    let mut slow = log.subscribe();
    let mut quick = log.subscribe();
    // Set before the message that may need the next segment, it says where that one begins.
    for _ in 0..7 {
        log.set_note(Arc::new(log.end()));
        append(&mut log, 30);
        log.publish();
        take(&mut quick, 99);
    }
    assert_eq!((take(&mut slow, 0), note(&slow)), ("0+30".into(), "60".into()));
    assert_eq!((take(&mut slow, 99), note(&slow)), ("30+30".into(), "60".into()));
    assert_eq!((slow.position(), take(&mut slow, 99), note(&slow)), (60, "Fell".into(), "60".into()));
    assert_eq!((quick.position(), note(&quick)), (210, "-".into()));
    drop(log);
    assert_eq!((take(&mut quick, 99), note(&quick)), ("Closed".into(), "180".into()));
}

#[test]
fn a_note_is_kept_as_long_as_a_segment_that_has_it() {
    let mut log = Log::new(&Pool::new(64, 8), 128);
    let reader = log.subscribe();
    let first: Note = Arc::new(1_u64);
    log.set_note(first.clone());
    append(&mut log, 64);
    // Ours, the log's for what ends from now on, and those of the segments that have ended.
    let mut holders = vec![Arc::strong_count(&first)];
    for _ in 0..4 {
        append(&mut log, 64);
        holders.push(Arc::strong_count(&first));
    }
    assert_eq!(holders, [2, 3, 4, 4, 4], "the reader's segment and the one that is retained");
    log.set_note(Arc::new(2_u64));
    assert_eq!(Arc::strong_count(&first), 3);
    append(&mut log, 64);
    assert_eq!((Arc::strong_count(&first), note(&reader)), (2, "1".into()));
    drop(reader);
    assert_eq!(Arc::strong_count(&first), 1);
}

/// What the kernel holds, and what goes to other threads, may.
#[test]
fn all_parts_cross_threads() {
    fn owned<T: Send + Sync + 'static>() {}
    owned::<(Chunk, Pool, Log, Reader, Read, Note)>();
}

#[test]
fn a_chunk_outlives_everything_at_the_same_place() {
    let pool = Pool::new(64, 8);
    let mut log = Log::new(&pool, 64);
    let mut reader = log.subscribe();
    append(&mut log, 50);
    log.publish();
    let first = chunk(&mut reader, 99);
    let place = first.as_ptr();
    // Behind it, in the same segment, while it is looked at.
    append(&mut log, 10);
    log.publish();
    let both = chunk(&mut reader, 99);
    assert_eq!((both.as_ptr(), both.len()), (place, 60));
    drop(both);
    for _ in 0..9 {
        append(&mut log, 60);
    }
    drop((reader, log, pool));
    let copy = first.clone();
    drop(first);
    assert_eq!((copy.as_ptr(), &copy[..]), (place, &octets(0, 50)[..]));
    assert_eq!(format!("{copy:?}"), "Chunk(50 octets at 0)");
}

#[test]
fn segments_come_back_and_no_more_of_them_wait_than_allowed() {
    let pool = Pool::new(64, 2);
    let mut log = Log::new(&pool, 128);
    // What a former use left is in the room, and never read.
    for round in 0..9 {
        append(&mut log, 64);
        assert_eq!(pool.usage(), Usage { retained: 64 * (round + 1).min(2), stragglers: 0, pooled: 0 });
    }
    let mut reader = log.subscribe();
    append(&mut log, 3);
    log.publish();
    assert_eq!((take(&mut reader, 99), take(&mut reader, 99)), ("576+3".into(), "Idle".into()));
    let logs: Vec<Log> = (0..5).map(|_| Log::new(&pool, 0)).collect();
    assert_eq!(pool.usage().retained, 7 * 64);
    drop(logs);
    assert_eq!(pool.usage(), Usage { retained: 128, stragglers: 0, pooled: 128 });
}

/// A chain of segments ends without recursion: on a small stack, held by a reader at its beginning.
#[test]
fn long_chains_end_flat() {
    let segments = if cfg!(miri) { 300 } else { 200_000 };
    let run = move || {
        let mut log = Log::new(&Pool::new(8, 1), usize::MAX);
        let reader = log.subscribe();
        for _ in 0..segments {
            append(&mut log, 8);
        }
        drop(log);
        assert!(reader.cut_off());
    };
    let small = std::thread::Builder::new().stack_size(64 << 10);
    small.spawn(run).expect("a thread").join().expect("no overflow");
}
