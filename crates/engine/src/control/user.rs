//! Who is at the other end of a socket, as the kernel knows.

use std::fs;
use std::sync::Arc;

/// What a user is called: by the list of users, else by number.
pub(crate) fn name(uid: u32) -> Arc<str> {
    let list = fs::read_to_string("/etc/passwd").unwrap_or_default();
    listed(&list, uid).map_or_else(|| uid.to_string().into(), Into::into)
}

/// `name:x:uid:..`
fn listed(list: &str, uid: u32) -> Option<&str> {
    list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (!name.is_empty() && fields.nth(1)?.parse() == Ok(uid)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_names() {
        let list =
            "root:x:0:0::/root:/bin/sh\n\n# comment\nann:x:1000:100:Ann,:0::\nbroken:x\nann2:x:1000::\n";
        let rows = [(0, Some("root")), (1000, Some("ann")), (1, None), (100, None)];
        for (uid, wanted) in rows {
            assert_eq!(listed(list, uid), wanted, "{uid}");
        }
        assert_eq!(&*name(0), "root");
        assert_eq!(&*name(4_000_000_000), "4000000000");
    }
}
