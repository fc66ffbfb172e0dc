//! Flags of Velero that have no work to do here.
//!
//! Scripts and deployments can stay as they are: a flag is passed over with a
//! line that says why, or refused where passing it over would leave somebody
//! without what they count on. Each command that has such flags has one table.

use std::marker::PhantomData;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::error::CommandError;

/// One flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// What comes after the name.
    pub takes: Takes,
    /// What becomes of it.
    pub then: Then,
}

/// What comes after the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A value.
    Value,
    /// Nothing, or `=true` or `=false`.
    Switch,
}

/// What becomes of the flag.
#[derive(Debug, Clone, Copy)]
pub enum Then {
    /// It does nothing, because.
    PassOver(&'static str),
    /// Only this value does nothing; any other is refused with this sentence.
    Only(&'static str, &'static str),
    /// It is one of another command, see [`ForeignArgs::forwarded`].
    Forward,
}

/// A flag with a value that is passed over.
pub const fn value(name: &'static str, why: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Value,
        then: Then::PassOver(why),
    }
}

/// A switch that is passed over.
pub const fn switch(name: &'static str, why: &'static str) -> Flag {
    Flag {
        name,
        takes: Takes::Switch,
        then: Then::PassOver(why),
    }
}

impl Takes {
    /// A hidden flag of this form.
    pub fn arg(self, name: &'static str) -> Arg {
        let arg = Arg::new(name).long(name).hide(true);
        match self {
            Self::Value => arg.num_args(1).allow_hyphen_values(true),
            Self::Switch => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
        }
    }
}

impl Flag {
    fn arg(&self) -> Arg {
        self.takes.arg(self.name).action(ArgAction::Append)
    }
}

/// The flags of one command.
pub trait Table {
    /// All of them.
    const FLAGS: &'static [Flag];
}

/// The flags of a table that were given, each with its last value.
#[derive(Debug, Clone)]
pub struct ForeignArgs<T>(Vec<(&'static Flag, String)>, PhantomData<T>);

impl<T> Default for ForeignArgs<T> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<T: Table> Args for ForeignArgs<T> {
    fn augment_args(command: Command) -> Command {
        command.args(T::FLAGS.iter().map(Flag::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Table> FromArgMatches for ForeignArgs<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = T::FLAGS.iter().filter_map(|flag| {
            let mut values = matches.get_many::<String>(flag.name)?;
            Some((flag, values.next_back()?.clone()))
        });
        Ok(Self(given.collect(), PhantomData))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl<T: Table> ForeignArgs<T> {
    /// A line for each flag that is passed over.
    ///
    /// # Errors
    /// A usage error that names every flag that is refused, and why.
    pub fn judge(&self) -> Result<Vec<String>, CommandError> {
        let (mut lines, mut refused) = (Vec::new(), Vec::new());
        for (Flag { name, then, .. }, value) in &self.0 {
            match then {
                Then::PassOver(why) => {
                    lines.push(format!("--{name} does nothing here: {why}"));
                }
                Then::Only(harmless, why) if value != harmless => {
                    refused.push(format!("--{name}={value} cannot be done: {why}"));
                }
                Then::Only(..) | Then::Forward => {}
            }
        }
        if refused.is_empty() {
            Ok(lines)
        } else {
            Err(CommandError::usage(refused.join("; ")))
        }
    }

    /// The flags of another command, as its arguments.
    pub fn forwarded(&self) -> impl Iterator<Item = String> {
        let forwarded = self
            .0
            .iter()
            .filter(|(flag, _)| matches!(flag.then, Then::Forward));
        forwarded.map(|(flag, value)| format!("--{}={value}", flag.name))
    }
}
