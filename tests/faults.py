#!/usr/bin/env python3
"""Plants faults, one at a time, and sees the model fail on each.

    tests/faults.py                    all of them
    tests/faults.py --only hand-over   those whose name has this in it
    tests/faults.py --seeds 0..400     what the model runs on each

A test that cannot fail proves nothing. Each fault is a replacement in a copy of the sources; the model
must find it within the seeds, and says with which. What a model seldom comes to, the naive twin of the RIB
must find, or the model of the writer's fleet, in which nothing is healed by somebody else's doing.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "faults" / "copy"

RIB, MIRROR, ENGINE, LOG = "crates/rib/src/", "crates/mirror/src/", "crates/engine/src/core/", "crates/queue/src/log/"
FLEET, EXCHANGE = "crates/writer/src/fleet/", "crates/engine/src/exchange.rs"
ROSTER = "crates/engine/src/roster.rs"

# name, file, what stands there, what is planted
FAULTS = [
    ("a dropped epoch", RIB + "epochs.rs", "Epoch(self.current.0 - 1)", "Epoch(self.current.0)"),
    ("a skipped block", RIB + "column.rs", "self.blocks[slot as usize / BLOCK] = stamp;",
     "if slot % 8 != 0 || self.blocks[slot as usize / BLOCK] == 0 { self.blocks[slot as usize / BLOCK] = stamp; }"),
    ("an early hand-over", MIRROR + "catch_up.rs", "if began_here {", "if began_here || !catch_up.first {"),
    ("a late hand-over: the log's reader misses what is in no piece", ENGINE + "mod.rs",
     "filled.progress == Progress::CaughtUp {", "filled.progress == Progress::CaughtUp && { let _ = self.take_in(now, output); true } {"),
    ("a change of form in the middle of a walk", RIB + "walk.rs", "if cursor.generation != column.generation {", "if false {"),
    ("stale keys are told", RIB + "walk.rs",
     'id => attributes.block_of(id) == block,',
     '_ => block != 0,'),
    ("tombstones go too early", RIB + "sweep.rs",
     'let floor = self.epochs.told(floor);',
     'let floor = self.epochs.told(floor).max(Stamp::MAX);'),
    ("nobody is told what was lost", RIB + "sweep.rs",
     '*lost = epochs.epoch(stamp).max(*lost);',
     'let _ = (&epochs, &lost);'),
    ("the floor forgets the logs", MIRROR + "lib.rs", "let said = self.said.front().map_or(self.epoch, |(epoch, _)| *epoch);", "let said = self.epoch;"),
    ("the floor forgets who is caught up", MIRROR + "lib.rs", ".fold(said, Epoch::min)", ".fold(said, |said, _| said)"),
    ("what is lost while it is told", MIRROR + "catch_up.rs",
     "if let Some(told) = told.as_mut().filter(|told| can_tell(rib, router, place, told)) {",
     "if let Some(told) = told.as_mut().filter(|told| { let _ = &rib; current(router, place, told).is_some() }) {"),
    ("a flap that nobody sees", MIRROR + "peer.rs", "Arc::ptr_eq(&self.life, &other.life)",
     "self.header.identity() == other.header.identity()"),
    ("notes lag behind Peer Downs", MIRROR + "take.rs", "        self.forget(id, place);\n        self.say(id.0 as usize, logs);", "        self.forget(id, place);"),
    ("notes run ahead of Peer Ups", MIRROR + "take.rs", "        if let Some(message) = message {\n            self.pass(",
     "        self.say(id.0 as usize, logs);\n        if let Some(message) = message {\n            self.pass("),
    ("a Peer Up too late for its tables", MIRROR + "catch_up.rs", "tell_ups(peer, told, piece)?;", ""),
    ("old connections count", MIRROR + "take.rs", "if lane.connection < router.connection {", "if false {"),
    ("peers outlive their connection", MIRROR + "take.rs", "if connection > router.connection {", "if connection > router.connection && { router.connection = connection; false } {"),
    ("another session without a Peer Down", MIRROR + "take.rs", "peer.lane == lane && same_session(&first, up)", "peer.lane == lane"),
    ("ends of RIB are not told again", MIRROR + "catch_up.rs", "if *epoch > self.since {", "if false {"),
    ("statistics are not told again", MIRROR + "catch_up.rs", "if latest.epoch > self.since && self.want", "if self.since == Epoch::NOTHING && self.want"),
    ("trailing octets are lost", RIB + "attributes.rs",
     'self.hold_entry(form(shared), shared.block, shared.trailing, 0)',
     'self.hold_entry(form(shared), shared.block, &[], 0)'),
    ("the width of AS numbers does not count", RIB + "attributes.rs",
     'if shared.two_octet_as { TWO_OCTET_AS } else { 0 }',
     'if shared.two_octet_as { 0 } else { 0 }'),
    ("a reference too many", RIB + "apply.rs", "Before::Was(before) => attributes.release(before),", "Before::Was(_) => {}"),
    ("a reader that fell off reads on", LOG + "reader.rs", "let Some(next) = next.upgrade() else { return Read::Fell };",
     "let Some(next) = next.upgrade() else { return Read::Idle };"),
    ("a farewell in the middle of a message", FLEET + "session.rs", "if torn {", "if torn && self.sending {"),
    ("only one feed's news is looked at", FLEET + "mod.rs", "for feed in 0..self.waiting.len() {",
     "for feed in 0..self.waiting.len().min(1) {"),
    ("a sleeper that does not look again", FLEET + "mod.rs",
     "self.waiting.first().any(|id| finds_news(&self.slots, id))", "false"),
    ("octets that are sent twice", FLEET + "session.rs", "source.reader_mut().advance(octets);",
     "source.reader_mut().advance(octets - usize::from(octets % 64 == 63));"),
    ("a piece that is read twice", FLEET + "session.rs", "Read::Closed => match self.turn_over() {",
     "Read::Closed => match self.turn_over().filter(|_| self.octets % 8 != 7) {"),
    ("a fall that nobody hears of", EXCHANGE, "core.fell(connection, &reader);", "let _ = (connection, &reader);"),
    ("a loss that nobody hears of", EXCHANGE, "core.lost(connection);", ""),
    ("a filter lets a family through", MIRROR + "update.rs", "if families().all(|family|", "if families().any(|family|"),
    ("nobody knows what was sent to who falls", ENGINE + "marks.rs", "self.ends.push_back((position, *counts));", "let _ = counts;"),
    ("a piece that was read does not count", ENGINE + "mod.rs", "outlet.told.counts.add(&first);", "let _ = &first;"),
    ("what waits for a reset does not wait", ROSTER, "entry.changed = entry.links.values().any(|link| link.up);",
     "self.stop(world, &session.key);\n                let Some(entry) = self.entries.get_mut(&session.key) else { return };"),
    ("one session changes, and all connect again", ROSTER, "partition::<BTreeMap<_, _>, _>(|(router, _)| wanted.contains(router));",
     "partition::<BTreeMap<_, _>, _>(|(router, _)| wanted.contains(router) && session.description.is_none());"),
    ("a session that is removed stays with its server", ROSTER, "self.drop_links(world, entry.links, TerminationReason::PERMANENTLY_CLOSED);", "drop(entry.links);"),
    ("listeners stay when nobody wants them", "crates/engine/src/slots.rs", "turnover.gone.push(number);", ""),
]


def copy():
    """The sources as they stand, in a folder whose name does not change, so that builds go on from each other."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        source, target = ROOT / name, COPY / name
        if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


MODEL = ["-p", "heliograph-engine", "--test", "model"]
# What else must find a fault of these files, if the model does not.
SECOND = {
    RIB: (["-p", "heliograph-rib", "--lib"], "the twin"),
    FLEET: (["-p", "heliograph-writer", "--test", "model"], "the fleet's model"),
    ROSTER: (["-p", "heliograph-engine", "--test", "control"], "servers over sockets"),
    "crates/engine/src/slots.rs": (["-p", "heliograph-engine", "--test", "control"], "servers over sockets"),
}


def test(what, seeds):
    command = ["cargo", "test", "--quiet", "--release", *what]
    environment = {"SIM_SEEDS": seeds, "CARGO_TARGET_DIR": str(COPY.parent / "target"), "RUST_BACKTRACE": "0",
                   "CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
                   "CARGO_PROFILE_RELEASE_DEBUG": "0"}
    run = subprocess.run(command, cwd=COPY, env={**__import__("os").environ, "RUSTFLAGS": "", **environment},
                         capture_output=True, text=True)
    return run.returncode == 0, run.stdout + run.stderr


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", default="0..400", help="what the model runs on each: from..to")
    options.add_argument("--only", default="", help="a part of the names of those to plant")
    options = options.parse_args()
    chosen = [fault for fault in FAULTS if re.search(options.only, fault[0])]
    if not chosen:
        sys.exit(f"no fault has {options.only!r} in its name")
    copy()
    for what, _ in [(MODEL, None), *SECOND.values()]:
        passed, output = test(what, options.seeds)
        if not passed:
            sys.exit(f"it fails without a fault:\n{output}")
    missed = []
    for name, file, old, new in chosen:
        target = COPY / file
        text = target.read_text()
        if text.count(old) != 1:
            sys.exit(f"{name}: {file} has {text.count(old)} times {old!r}, expected 1")
        target.write_text(text.replace(old, new))
        passed, output = test(MODEL, options.seeds)
        by = "the model"
        for folder, (what, who) in SECOND.items():
            if passed and file.startswith(folder):
                passed, output = test(what, options.seeds)
                by = who
        target.write_text(text)
        said = re.search(r"panicked at [^\n]*\n([^\n]*(?:\n[^\n]*)?)", output)
        if passed:
            missed.append(name)
            print(f"MISSED  {name}", flush=True)
        elif "error[" in output or "could not compile" in output:
            sys.exit(f"{name}: it does not compile:\n{output}")
        else:
            print(f"caught  {name}, by {by}: {said.group(1).splitlines()[0][:150] if said else 'timed out'}", flush=True)
    if missed:
        sys.exit(f"{len(missed)} of {len(chosen)} faults were missed")
    print(f"all {len(chosen)} faults were caught")


main()
