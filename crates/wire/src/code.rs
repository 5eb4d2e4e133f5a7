//! Numbers with names: one list a field says constant, number, name and meaning.

/// Makes the newtype of a field's numbers. Unknown ones survive; shown, they are `class-number`.
macro_rules! codes {
    ($(#[$meta:meta])* $type:ident($number:ty) else $class:literal {
        $($constant:ident = $code:literal $name:literal $($what:literal)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $type(pub $number);

        impl $type {
            $(
                #[doc = concat!("`", $name, "`", $(": ", $what,)? ".")]
                pub const $constant: Self = Self($code);
            )*

            /// Its name, if it has one.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($code => Some($name),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.write_str(name),
                    None => write!(f, "{}-{}", $class, self.0),
                }
            }
        }

        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }
    };
}

pub(crate) use codes;
