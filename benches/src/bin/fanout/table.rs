//! What came of a case, for people and for programs.

use crate::meter::Spread;

/// One case: what everybody was asked to do, and what each round gave.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) case: &'static str,
    pub(crate) sessions: usize,
    pub(crate) batch: usize,
    /// The figures of a row, and for how many digits behind the point; the first one is compared.
    pub(crate) figures: &'static [(&'static str, usize)],
    /// Who is compared with whom, and what a program calls it.
    pub(crate) pairs: &'static [Pair],
    /// Whether more is better.
    pub(crate) rate: bool,
    pub(crate) rows: Vec<Row>,
}

/// A name, and of which row over which other one the ratio is.
pub(crate) type Pair = (&'static str, &'static str, &'static str);

/// What is usually compared.
pub(crate) const USUAL: &[Pair] = &[
    ("ratio_to_bare", "ours-uring", "bare-ring"),
    ("ratio_to_epoll", "ours-uring", "ours-epoll"),
    ("ratio_to_bare_epoll", "ours-uring", "bare-epoll"),
    ("epoll_ratio_to_bare", "ours-epoll", "bare-ring"),
    ("epoll_ratio_to_epoll", "ours-epoll", "bare-epoll"),
    ("bare_ratio_to_epoll", "bare-ring", "bare-epoll"),
    ("ring_no_lowat_ratio_to_bare", "ring-no-lowat", "bare-ring"),
    ("ring_registered_ratio_to_bare", "ring-registered", "bare-ring"),
    ("ring_waitall_ratio_to_bare", "ring-waitall", "bare-ring"),
    ("ring_at_once_ratio_to_bare", "ring-at-once", "bare-ring"),
    ("epoll_no_lowat_ratio_to_epoll", "epoll-no-lowat", "bare-epoll"),
];

/// One contender's figures, round by round.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<Vec<f64>>,
    /// System calls a send, where they are counted, in a round of their own.
    pub(crate) calls: Option<f64>,
}

impl Row {
    fn spread(&self, figure: usize) -> Spread {
        Spread::of(self.rounds.iter().map(|round| round[figure]))
    }
}

impl Table {
    /// One over another, round by round.
    fn ratio(&self, ours: &str, theirs: &str) -> Option<Spread> {
        let row = |name: &str| self.rows.iter().find(|row| row.name == name && !row.rounds.is_empty());
        let (ours, theirs) = (row(ours)?, row(theirs)?);
        Some(Spread::of(ours.rounds.iter().zip(&theirs.rounds).map(|(ours, theirs)| ours[0] / theirs[0])))
    }

    pub(crate) fn print(&self, json: bool) {
        if json { self.print_json() } else { self.print_table() }
    }

    fn print_json(&self) {
        let mut fields = vec![
            format!("\"case\":\"{}\"", self.case),
            format!("\"sessions\":{}", self.sessions),
            format!("\"batch\":{}", self.batch),
        ];
        let mut contender = |prefix: &str, row: &Row| {
            for (at, (figure, _)) in self.figures.iter().enumerate() {
                fields.push(format!("\"{prefix}{figure}\":{}", row.spread(at).json()));
            }
            if let Some(calls) = row.calls {
                fields.push(format!("\"{prefix}calls_per_send\":{calls:.5}"));
            }
        };
        for row in self.rows.iter().filter(|row| !row.rounds.is_empty()) {
            if row.name == self.pairs[0].1 {
                contender("", row);
            }
            contender(&format!("{}.", row.name), row);
        }
        for (name, ours, theirs) in self.pairs {
            if let Some(ratio) = self.ratio(ours, theirs) {
                fields.push(format!("\"{name}\":{}", ratio.json()));
            }
        }
        println!("{{{}}}", fields.join(","));
    }

    fn print_table(&self) {
        println!("\n{}, {} sessions, {} octets at once", self.case, self.sessions, self.batch);
        for row in self.rows.iter().filter(|row| !row.rounds.is_empty()) {
            print!("  {:<18}", row.name);
            for (at, (figure, digits)) in self.figures.iter().enumerate() {
                let Spread { median, min, max } = row.spread(at);
                if at == 0 {
                    print!(" {median:>9.digits$} [{min:.digits$}..{max:.digits$}] {figure}");
                } else {
                    print!("   {median:.digits$} {figure}");
                }
            }
            if let Some(calls) = row.calls {
                print!("   {calls:.4} calls_per_send");
            }
            for (_, ours, theirs) in self.pairs.iter().filter(|(_, ours, _)| *ours == row.name) {
                let Some(Spread { median, min, max }) = self.ratio(ours, theirs) else { continue };
                let behind = if self.rate { max < 1.0 } else { min > 1.0 };
                let behind = if behind { ", behind" } else { "" };
                print!("   {median:.3} [{min:.3}..{max:.3}] of {theirs}{behind}");
            }
            println!();
        }
    }
}
