//! What is done, and what is shown.

use super::{ALL, Row, View, What, action, show};

const USER: &[View] = &[View::User];

/// All views but the user view.
const CONFIGURING: &[View] = ALL.split_at(1).1;

pub(super) const ROWS: &[Row] = &[
    action(What::SystemView, USER, "system-view [ immediately ]", "Enter the system view"),
    action(What::Quit, ALL, "quit", "Leave this view"),
    action(What::Return, CONFIGURING, "return", "Go back to the user view"),
    action(What::Run, CONFIGURING, "run <command>", "Do what this means in the user view"),
    action(
        What::Commit,
        CONFIGURING,
        "commit [ trial [ <trial> ] ] [ label <label> ] [ description <text60> ]",
        "Make the candidate the running configuration; on trial, only for 600 seconds unless told otherwise",
    ),
    action(What::AbortTrial, CONFIGURING, "abort trial", "Take back what was committed on trial"),
    action(
        What::ClearCandidate,
        CONFIGURING,
        "clear configuration candidate",
        "Forget what was typed since the last commit",
    ),
    action(
        What::RefreshCandidate,
        CONFIGURING,
        "refresh configuration candidate",
        "Do again what was typed, on what others have committed",
    ),
    action(
        What::Rollback,
        USER,
        "rollback configuration { to { commit-id <commit-id> | label <label> | file <file> } | last <last> }",
        "Go back to an earlier configuration",
    ),
    action(What::Save, ALL, "save", "Write the running configuration to its file"),
    action(
        What::ResetSession,
        USER,
        "reset bmp session [ vpn-instance <vrf> ] { <ip> [ alias <alias> ] | all }",
        "Close sessions and open them anew, as they are configured now",
    ),
    action(
        What::ResetRouter,
        USER,
        "reset bmp monitored-router { <router> | all }",
        "Close the connections of routers",
    ),
    show(What::DisplayThis, "display this [ include-default ]", "What is running of this view"),
    show(
        What::DisplayCurrent,
        "display current-configuration [ configuration <word> [ <word> ] ] [ include-default ]",
        "The running configuration, or its commands of one kind with what stands in them",
    ),
    show(
        What::DisplayCandidate,
        "display configuration candidate [ merge | changes ]",
        "The candidate, or what committing it would change",
    ),
    show(What::DisplayCommits, "display configuration commit list [ verbose ]", "The latest commits"),
    show(
        What::DisplayKeychain,
        "display keychain <kcname> [ key-id <keyid> ]",
        "A keychain, and which of its keys are good now",
    ),
    show(What::DisplayDefaults, "display default-parameter bmp", "What holds where nothing is configured"),
    show(What::DisplayDebugging, "display debugging bmp", "What is being debugged"),
    show(
        What::DisplaySession,
        "display bmp session [ vpn-instance <vrf> ] [ <ip> [ alias <alias> ] verbose ]",
        "Sessions and how they are, or all about one",
    ),
    show(
        What::DisplayMonitor,
        "display bgp bmp-monitor { all | ipv4 <ip> | ipv6 <ipv6> | vpnv4 [ vpn-instance <vrf> ] <ipv4> \
         | vpnv6 [ vpn-instance <vrf> ] <ipv6> }",
        "Which sessions carry the routes of which peers",
    ),
    show(
        What::DisplayRouter,
        "display bmp monitored-router [ <router> ] [ verbose ]",
        "Monitored routers and how they are",
    ),
    show(
        What::DisplayPeer,
        "display bmp peer [ router <router> ]",
        "Peers of monitored routers, and their tables",
    ),
    show(What::DisplayFeed, "display bmp feed", "Which sessions share the same messages, and what is kept"),
    show(What::DisplayMemory, "display bmp memory", "What paths and messages take"),
    show(What::DisplayLatency, "display bmp latency", "How long messages take on their way"),
];
