//! Looking ahead: what the next UPDATEs will need is brought near, for all of them at once.
//!
//! ```text
//!  tag ─► bucket ─► prefix ─► place in the column ─► attributes it has ─► their bucket, their octets
//!  tag of a block ─► bucket
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

use crate::arena::Handle;
use crate::attributes::{AttributeId, Shared};
use crate::index::Tag;
use crate::prefixes::{PrefixId, short};
use crate::{ColumnId, Rib};

/// Routes that are expected at a time. More push out of the caches what was brought there first.
pub(crate) const EXPECTED_MAX: usize = 256;

/// A route that is expected.
struct Hint {
    column: ColumnId,
    /// The index of its family.
    family: usize,
    tag: Tag,
    /// Its key as a slot has it; longer ones are told by their tags alone.
    key: Option<[u8; 8]>,
    prefix: PrefixId,
    attributes: AttributeId,
}

/// All that is expected, and how many routes have been looked at and have not come.
#[derive(Default)]
pub(crate) struct Ahead {
    routes: Vec<Hint>,
    blocks: Vec<Tag>,
    left: usize,
}

impl Rib {
    /// These routes come next, some of them with this block of attributes. Whether there is room for more
    /// to be expected; if not, look ahead, and let come what was expected.
    ///
    /// # Panics
    /// If the column is not open.
    pub fn expect(&mut self, id: ColumnId, routes: Routes<'_>, shared: Option<&Shared<'_>>) -> bool {
        let Self { prefixes, attributes, columns, ahead, .. } = self;
        let open = columns[id.0 as usize].as_ref().expect("an open column");
        let Some(family) = open.family.index() else { return true };
        let Some(table) = &prefixes[family] else { return true };
        ahead.blocks.extend(shared.map(|shared| attributes.tag_of(shared)));
        let room = EXPECTED_MAX.saturating_sub(ahead.routes.len());
        ahead.routes.extend(routes.take(room).map(|entry| {
            let key = entry.key();
            let (tag, key) = (table.tag(&key), short(&key));
            Hint { column: id, family, tag, key, prefix: 0, attributes: 0 }
        }));
        ahead.routes.len() < EXPECTED_MAX
    }

    /// Whether these routes have been looked at.
    #[inline]
    pub(crate) fn were_expected(&mut self, routes: &Routes<'_>) -> bool {
        let expected = routes.len() <= self.ahead.left;
        self.ahead.left = self.ahead.left.saturating_sub(routes.len());
        expected
    }

    /// Looks at the next of these routes; one alone has nobody to wait with.
    pub(crate) fn look_at(&mut self, id: ColumnId, routes: &Routes<'_>) {
        if routes.len() > 1 {
            self.expect(id, *routes, None);
            self.look_ahead();
            self.ahead.left = 0;
        }
    }

    /// Looks at all that was expected. Each loop is as short as it can be: the machine sees only so many
    /// instructions ahead, and what counts is how many loads are among them.
    pub fn look_ahead(&mut self) {
        let Self { prefixes, attributes, columns, ahead, .. } = self;
        let Ahead { routes, blocks, left } = ahead;
        let table = |hint: &Hint| prefixes[hint.family].as_deref();
        *left = routes.len();
        let mut sum = blocks.iter().fold(0, |sum, tag| sum ^ attributes.touch(*tag));
        for hint in routes.iter() {
            sum ^= table(hint).map_or(0, |table| table.touch(hint.tag));
        }
        for hint in routes.iter_mut() {
            let found = table(hint).zip(hint.key).and_then(|(table, key)| table.find_short(hint.tag, &key));
            hint.prefix = found.unwrap_or(0);
        }
        routes.retain(|hint| hint.prefix != 0);
        for hint in routes.iter_mut() {
            let open = columns[hint.column.0 as usize].as_ref();
            hint.attributes = open.map_or(0, |open| open.column.touch(hint.prefix));
        }
        routes.retain(|hint| hint.attributes != 0);
        let mut octets = [Handle::default(); EXPECTED_MAX];
        for (hint, octets) in routes.iter_mut().zip(&mut octets) {
            (hint.tag, *octets) = attributes.touch_entry(hint.attributes);
        }
        for (hint, octets) in routes.iter().zip(octets) {
            sum ^= attributes.touch(hint.tag) ^ attributes.touch_octets(octets);
        }
        black_box(sum);
        routes.clear();
        blocks.clear();
    }
}
