//! Macros for values that are a fixed set of names on the wire, and for phases.
//!
//! Each such enum has a variant `Other` for names of other versions: the
//! schema lists the known names only, reading accepts all.

/// An enum of names. `also` lists further strings that the schema admits.
macro_rules! named {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $text:expr, )+ }
        $( also [ $($also:literal),* ] )?
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $( $(#[$vmeta])* $variant, )+
            /// A name that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// Every name this version knows, in the order of the schema.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The name on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $text, )+
                    Self::Other(name) => name,
                }
            }
        }

        impl From<&str> for $name {
            fn from(name: &str) -> Self {
                $( if name == $text { return Self::$variant; } )+
                Self::Other(name.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self::from(name.as_str())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::from)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "enum": [ $( $text, )+ $( $($also,)* )? ],
                })
            }
        }
    };
}

/// An enum of names with the transitions between them: each variant names the
/// phases that may follow it.
macro_rules! phases {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$vmeta:meta])* $variant:ident => [ $($next:ident),* ], )+
        }
        terminal [ $($terminal:ident),* ]
    ) => {
        named! {
            $(#[$meta])*
            pub enum $name { $( $(#[$vmeta])* $variant = stringify!($variant), )+ }
        }
        phases! { @moves $name { $( $variant => [ $($next),* ], )+ } [ $($terminal),* ] }
    };
    (@moves $name:ident { $( $variant:ident => [ $($next:ident),* ], )+ } [ $($terminal:ident),* ]) => {
        impl $name {
            /// True when the work this phase tells about has ended, well or not.
            /// An unknown phase is not terminal.
            pub fn is_terminal(&self) -> bool {
                match self {
                    $( Self::$terminal => true, )*
                    _ => false,
                }
            }

            /// The phases that may follow this one. None are known to follow
            /// an unknown phase.
            pub fn next(&self) -> &'static [Self] {
                match self {
                    $( Self::$variant => const { &[ $(Self::$next),* ] }, )+
                    Self::Other(_) => &[],
                }
            }
        }
    };
}

/// Adds `phase()` to a kind: the phase of the status, where none means `$new`.
macro_rules! has_phase {
    ($kind:ident, $phase:ident, $new:ident) => {
        impl $kind {
            /// The phase of this object. An object that nobody worked on yet
            /// has no status; that counts as the first phase.
            pub fn phase(&self) -> &$phase {
                self.status
                    .as_ref()
                    .and_then(|status| status.phase.as_ref())
                    .unwrap_or(&$phase::$new)
            }
        }
    };
}

/// Lets a spec whose fields are all optional be absent or `null` in an object.
/// The type carries `#[serde(remote = "Self")]`, which makes serde's derived
/// code inherent functions; the trait implementations around them are here.
macro_rules! spec_may_be_absent {
    ($spec:ident) => {
        impl serde::Serialize for $spec {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $spec::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $spec {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // serde answers a missing field with `None` where the type
                // asks for an option, which is what this newtype is for.
                struct Present($spec);
                impl<'de> serde::Deserialize<'de> for Present {
                    fn deserialize<D: serde::Deserializer<'de>>(
                        deserializer: D,
                    ) -> Result<Self, D::Error> {
                        $spec::deserialize(deserializer).map(Present)
                    }
                }
                let spec = Option::<Present>::deserialize(deserializer)?;
                Ok(spec.map(|Present(spec)| spec).unwrap_or_default())
            }
        }
    };
}

#[cfg(test)]
mod tests;
