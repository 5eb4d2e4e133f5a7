//! The exposition format, version 0.0.4: what a family of samples looks like.

use std::collections::HashSet;
use std::fmt::{self, Display, Write};

use crate::show::clean;

/// What a family is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// Only grows, unless what it is about begins anew.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How many were up to so much.
    Histogram,
}

/// A value, in base units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value {
    /// As it is.
    Count(u64),
    /// Microseconds, written as seconds.
    Micros(u64),
}

/// A family that has one sample for each thing of a kind.
pub(super) struct Metric<T> {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) help: &'static str,
    pub(super) value: fn(&T) -> Value,
}

/// The labels of a series, ready to be written: `a="b",c="d"`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Labels(String);

impl Labels {
    pub(super) fn new(labels: &[(&str, &str)]) -> Self {
        labels.iter().fold(Self::default(), |all, (name, value)| all.and(name, value))
    }

    /// And one more. Values come from outside: control characters and marks are escaped as the displays do, which
    /// keeps different values different, and then what the format itself wants escaped is. Nothing is cut.
    pub(super) fn and(&self, name: &str, value: &str) -> Self {
        let comma = if self.0.is_empty() { "" } else { "," };
        let value = clean(usize::MAX, &value).replace('\\', "\\\\").replace('"', "\\\"");
        Self(format!("{}{comma}{name}=\"{value}\"", self.0))
    }
}

/// A page that grows.
#[derive(Default)]
pub(super) struct Page(String);

impl Page {
    /// A family, and a sample of it for each thing.
    ///
    /// A reader refuses the whole page for one series that is there twice: of two things with the same labels only
    /// the first is told.
    pub(super) fn each<'a, T: 'a>(
        &mut self,
        metric: &Metric<T>,
        things: impl IntoIterator<Item = (&'a Labels, &'a T)>,
    ) {
        self.head(metric.name, metric.kind, metric.help);
        let mut seen = HashSet::new();
        for (labels, thing) in things {
            if seen.insert(labels) {
                self.sample(metric.name, "", labels, (metric.value)(thing));
            }
        }
    }

    /// A family of which there is one sample.
    pub(super) fn one(&mut self, name: &str, kind: Kind, help: &str, labels: &Labels, value: Value) {
        self.head(name, kind, help);
        self.sample(name, "", labels, value);
    }

    /// A histogram of times: buckets are so many in all up to so many microseconds.
    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &str,
        buckets: &[(u64, u64)],
        sum_us: u64,
        count: u64,
    ) {
        self.head(name, Kind::Histogram, help);
        let (mut last, mut all) = (None, 0);
        for &(up_to, so_far) in buckets {
            // One that is out of order would be one that no reader can use.
            if last < Some(up_to) && so_far >= all {
                (last, all) = (Some(up_to), so_far);
                let labels = Labels::new(&[("le", &Value::Micros(up_to).to_string())]);
                self.sample(name, "_bucket", &labels, Value::Count(so_far));
            }
        }
        let count = Value::Count(count.max(all));
        self.sample(name, "_bucket", &Labels::new(&[("le", "+Inf")]), count);
        self.sample(name, "_sum", &Labels::default(), Value::Micros(sum_us));
        self.sample(name, "_count", &Labels::default(), count);
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn head(&mut self, name: &str, kind: Kind, help: &str) {
        // To a `String` it does not fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, suffix: &str, labels: &Labels, value: Value) {
        let _ = match labels.0.as_str() {
            "" => writeln!(self.0, "{name}{suffix} {value}"),
            labels => writeln!(self.0, "{name}{suffix}{{{labels}}} {value}"),
        };
    }
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Micros(micros) => {
                let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
                let rest = format!("{rest:06}");
                match rest.trim_end_matches('0') {
                    "" => write!(f, "{seconds}"),
                    rest => write!(f, "{seconds}.{rest}"),
                }
            }
        }
    }
}
