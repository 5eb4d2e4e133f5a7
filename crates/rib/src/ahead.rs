//! Looking ahead: what the next UPDATEs will need is brought near, for all of them at once.
//!
//! ```text
//!  expect       tag ─► bucket of the prefix           block ─► bucket of the attributes
//!  look_ahead   bucket ─► prefix ─► place in the column ─► attributes it has ─► their bucket, their octets
//! ```
//!
//! A route costs up to eight lines of memory that are in no cache. Each says where the next one is, so a
//! route waits for all of them, one after the other; but routes do not wait for each other. So one step is
//! taken for all that are expected, then the next step: the machine has as many loads in flight as it can.
//!
//! * **only hints** nothing is changed and nothing is remembered but numbers: what is expected and does not
//!   come, or comes otherwise, costs time and no more.

use std::hint::black_box;

use wire::nlri::Routes;

use crate::attributes::{AttributeId, Shared};
use crate::index::Tag;
use crate::prefixes::PrefixId;
use crate::{ColumnId, Open, Rib, table};

/// Routes that are expected at a time. More push out of the caches what was brought there first.
pub(crate) const EXPECTED_MAX: usize = 256;

/// A route that is expected.
pub(crate) struct Hint {
    column: ColumnId,
    tag: Tag,
    /// Its key as a slot has it; longer ones are told by their tags alone, which is nearly always enough.
    key: Option<[u8; 8]>,
    prefix: PrefixId,
    attributes: AttributeId,
}

impl Rib {
    /// These routes come next, some of them with this block of attributes. Whether there is room for more
    /// to be expected; if not, look ahead, and let come what was expected.
    ///
    /// # Panics
    /// If the column is not open.
    pub fn expect(&mut self, id: ColumnId, routes: Routes<'_>, shared: Option<&Shared<'_>>) -> bool {
        let Self { prefixes, attributes, columns, hints, .. } = self;
        let Open { family, .. } = columns[id.0 as usize].as_ref().expect("an open column");
        let prefixes = table(prefixes, *family);
        let mut sum = shared.map_or(0, |shared| attributes.touch_bucket(shared));
        for entry in routes.take(EXPECTED_MAX - hints.len().min(EXPECTED_MAX)) {
            let key = entry.key();
            let tag = prefixes.tag(&key);
            sum ^= prefixes.touch(tag);
            hints.push(Hint { column: id, tag, key: crate::prefixes::short(&key), prefix: 0, attributes: 0 });
        }
        black_box(sum);
        self.hints.len() < EXPECTED_MAX
    }

    /// Looks at all that was expected.
    pub fn look_ahead(&mut self) {
        let Self { prefixes, attributes, columns, hints, .. } = self;
        let open = |hint: &Hint| columns[hint.column.0 as usize].as_ref();
        for hint in hints.iter_mut() {
            let Some(Open { family, .. }) = open(hint) else { continue };
            if let Some(key) = &hint.key {
                hint.prefix = table(prefixes, *family).find_short(hint.tag, key).unwrap_or(0);
            }
        }
        for hint in hints.iter_mut().filter(|hint| hint.prefix != 0) {
            hint.attributes = open(hint).map_or(0, |open| open.column.touch(hint.prefix));
        }
        let mut sum = 0;
        let mut rest = [(0, crate::arena::Handle(0)); EXPECTED_MAX];
        for (hint, rest) in hints.iter().zip(&mut rest).filter(|(hint, _)| hint.attributes != 0) {
            *rest = attributes.touch_entry(hint.attributes);
        }
        for (_, rest) in hints.iter().zip(rest).filter(|(hint, _)| hint.attributes != 0) {
            sum ^= attributes.touch_rest(rest);
        }
        black_box(sum);
        self.expected = hints.len();
        self.hints.clear();
    }
}
