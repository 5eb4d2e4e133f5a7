//! What went over the wire, a line a message, for whoever looks for the reason of a failure: `SIM_TRACE=1`.

use wire::bmp::Frame;

/// One stream of octets, printed if that was asked for.
pub(crate) struct Trace(Option<(String, Vec<u8>)>);

impl Trace {
    pub(crate) fn new(name: String) -> Self {
        Self(std::env::var_os("SIM_TRACE").map(|_| (name, Vec::new())))
    }

    /// Octets, cut anywhere.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        let Some((name, partial)) = &mut self.0 else { return };
        partial.extend(octets);
        let mut rest = &partial[..];
        while let Ok(Some((frame, tail))) = Frame::split(rest) {
            eprintln!("{name}: {frame}");
            rest = tail;
        }
        *partial = rest.to_vec();
    }

    /// Something else that happens; what was cut there does not go on.
    pub(crate) fn note(&mut self, what: &str) {
        if let Some((name, partial)) = &mut self.0 {
            eprintln!("{name}: {what}");
            partial.clear();
        }
    }
}
