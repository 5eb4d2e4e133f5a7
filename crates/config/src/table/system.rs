//! What is configured in the system view and below it, but for `bmp`.

use super::{Key, Row, View, What, check, set};

/// A day of the week.
macro_rules! day {
    () => {
        "{ mon | tue | wed | thu | fri | sat | sun }"
    };
}

/// A month.
macro_rules! month {
    () => {
        "{ jan | feb | mar | apr | may | jun | jul | aug | sep | oct | nov | dec }"
    };
}

/// The window in which a key is good, in the five forms that go with a keychain's mode.
macro_rules! window {
    ($verb:literal) => {
        concat!(
            $verb,
            " { <time> <date> { duration { <duration> | infinite } | to <time> <date> }",
            " | daily <time> to <time>",
            " | day ",
            day!(),
            " [ to ",
            day!(),
            " | ",
            day!(),
            "&6 ] | date <day-of-month> [ to <day-of-month> | <day-of-month>&30 ]",
            " | month ",
            month!(),
            " [ to ",
            month!(),
            " | ",
            month!(),
            "&11 ] }"
        )
    };
}

/// All signatures a key of a keychain can be told to make.
macro_rules! algorithms {
    () => {
        "{ md5 | sha-1 | hmac-md5 | hmac-sha1-12 | hmac-sha1-20 | hmac-sha-256 | sha-256 | sm3 | hmac-sha-384 \
         | hmac-sha-512 | aes-128-cmac }"
    };
}

const SYSTEM: &[View] = &[View::System];
const KEYCHAIN: &[View] = &[View::Keychain];
const KEY_ID: &[View] = &[View::KeyId];
const TCP_AO: &[View] = &[View::TcpAo];

pub(super) const ROWS: &[Row] = &[
    set(
        What::Sysname,
        SYSTEM,
        "sysname <sysname>",
        &["sysname"],
        "Name of this mirror, in prompts and in what servers are told; the machine's own by default",
    ),
    set(
        What::Telemetry,
        SYSTEM,
        "telemetry listen port <port> [ address <ip> ]",
        &["telemetry listen port [ <port> ]"],
        "Metrics for Prometheus over HTTP, at 127.0.0.1 unless an address is given; off by default",
    )
    .called("telemetry port"),
    set(
        What::VpnInstance,
        SYSTEM,
        "vpn-instance <vrf> { device <device> | netns <path> }",
        &["vpn-instance <vrf>"],
        "What a VPN instance is on this machine: a VRF device, or a network namespace",
    )
    .key(Key::By(&["vrf"]), "The VPN instance does not exist.")
    .keep(check::instance_unused),
    set(
        What::InterfaceAlias,
        SYSTEM,
        "interface-alias <ifname> device <device>",
        &["interface-alias <ifname>"],
        "Another name for an interface of this machine",
    )
    .key(Key::By(&["ifname"]), "The interface alias does not exist."),
    set(
        What::Keychain,
        SYSTEM,
        "keychain <kcname> [ mode { absolute | periodic { daily | weekly | monthly | yearly } } \
         [ mode cusp-agent ] ]",
        &["keychain <kcname>"],
        "Keys that follow each other in time; the mode is needed to create a keychain",
    )
    .key(Key::By(&["kcname"]), "The keychain does not exist.")
    .enters(View::Keychain, "-keychain-{kcname}")
    .check(check::keychain),
    set(
        What::TimeMode,
        KEYCHAIN,
        "time mode { utc | lmt }",
        &["time mode"],
        "Whether times are of UTC or of this machine's time zone",
    )
    .default("time mode lmt"),
    set(
        What::ReceiveTolerance,
        KEYCHAIN,
        "receive-tolerance { <tolerance> | infinite }",
        &["receive-tolerance"],
        "Minutes by which receive times are longer at both ends; 0 by default",
    ),
    set(
        What::TcpKind,
        KEYCHAIN,
        "tcp-kind <kind>",
        &["tcp-kind"],
        "Number of the TCP option of enhanced authentication; kept, and not used by this system",
    )
    .default("tcp-kind 254"),
    set(
        What::TcpAlgorithmId,
        KEYCHAIN,
        concat!("tcp-algorithm-id ", algorithms!(), " <algid>"),
        &[concat!("tcp-algorithm-id ", algorithms!(), " [ <algid> ]")],
        "Number of an algorithm in that option; kept, and not used by this system",
    )
    .key(Key::But(&["algid"]), "The algorithm has its default number."),
    set(
        What::DigestLength,
        KEYCHAIN,
        "digest-length { hmac-sha1-20 { 16 | 20 } | hmac-sha-256 { 16 | 32 } | sha-256 { 16 | 32 } }",
        &["digest-length { hmac-sha1-20 [ 16 | 20 ] | hmac-sha-256 [ 16 | 32 ] | sha-256 [ 16 | 32 ] }"],
        "Octets of a signature: 20, 32 and 32 by default, of which TCP has room for 16",
    )
    .key(Key::But(&["16", "20", "32"]), "The algorithm has its default digest length."),
    set(What::KeyId, KEYCHAIN, "key-id <keyid>", &["key-id <keyid>"], "A key of the keychain")
        .key(Key::By(&["keyid"]), "The key-id does not exist.")
        .enters(View::KeyId, "-keyid-{keyid}"),
    set(
        What::KeyString,
        KEY_ID,
        "key-string [ cipher | plain ] <pwd>",
        &["key-string"],
        "What the key signs with; kept sealed however it is typed",
    ),
    set(What::Algorithm, KEY_ID, concat!("algorithm ", algorithms!()), &["algorithm"], "How the key signs"),
    set(
        What::DefaultSendKeyId,
        KEY_ID,
        "default send-key-id",
        &["default send-key-id"],
        "The key to sign with when no key's send time is now",
    ),
    set(What::SendTime, KEY_ID, window!("send-time"), &["send-time"], "When to sign with the key")
        .check(check::window),
    set(
        What::ReceiveTime,
        KEY_ID,
        window!("receive-time"),
        &["receive-time"],
        "When to take what is signed with the key",
    )
    .check(check::window),
    set(
        What::TcpAo,
        SYSTEM,
        "tcp ao <kcname>",
        &["tcp ao <kcname>"],
        "How the keys of a keychain are told apart in TCP-AO (RFC 5925)",
    )
    .key(Key::By(&["kcname"]), "The TCP-AO object does not exist.")
    .enters(View::TcpAo, "-tcp-ao-{kcname}"),
    set(
        What::Binding,
        TCP_AO,
        "binding keychain <kcname>",
        &["binding keychain [ <kcname> ]"],
        "The keychain that this is about",
    )
    .called("keychain of the TCP-AO object"),
    set(
        What::AcceptMismatch,
        TCP_AO,
        "accept-mismatch enable",
        &["accept-mismatch enable"],
        "Take segments without TCP-AO as long as there is no key for the other side",
    ),
    set(
        What::TcpAoKey,
        TCP_AO,
        "key-id <keyid>",
        &["key-id <keyid>"],
        "A key of the keychain that has other numbers on the wire",
    )
    .key(Key::By(&["keyid"]), "The key-id does not exist.")
    .enters(View::TcpAoKey, "-keyid-{keyid}"),
    set(
        What::TcpAoIds,
        &[View::TcpAoKey],
        "send-id <ao-id> receive-id <ao-id>",
        &["send-id [ <ao-id> receive-id <ao-id> ]"],
        "Numbers of the key in what is sent and in what is received; its key-id by default",
    ),
    set(
        What::OptionAuthentication,
        TCP_AO,
        "option-authentication disable",
        &["option-authentication disable"],
        "Leave the other TCP options out of what is signed",
    ),
    set(
        What::SslPolicyObject,
        SYSTEM,
        "ssl policy <policy>",
        &["ssl policy <policy>"],
        "A TLS policy; kept, and not used by this system",
    )
    .key(Key::By(&["policy"]), "The SSL policy does not exist."),
    set(
        What::Whitelist,
        SYSTEM,
        "whitelist session-car bmp { disable | cir <kilobytes> [ cbs <kilobytes> ] [ pir <kilobytes> ] \
         [ pbs <kilobytes> ] | cbs <kilobytes> [ pir <kilobytes> ] [ pbs <kilobytes> ] \
         | pir <kilobytes> [ pbs <kilobytes> ] | pbs <kilobytes> }",
        &["whitelist session-car bmp [ disable ]"],
        "How a router guards its own processor; kept, and not used by this system",
    ),
];
