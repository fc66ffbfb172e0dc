//! Flags of the logging library that Velero's command line is built with. They
//! are taken and do nothing here, so that scripts carry over.

use clap::{ArgAction, ArgMatches, Args, Command, FromArgMatches};

use super::foreign::Takes;

/// The flags, as klog spells them, and with the dashes that others write.
const FLAGS: &[(&str, &[&str], Takes)] = &[
    ("add_dir_header", &["add-dir-header"], Takes::Switch),
    ("alsologtostderr", &[], Takes::Switch),
    ("alsologtostderrthreshold", &[], Takes::Value),
    (
        "legacy_stderr_threshold_behavior",
        &["legacy-stderr-threshold-behavior"],
        Takes::Switch,
    ),
    ("log_backtrace_at", &["log-backtrace-at"], Takes::Value),
    ("log_dir", &["log-dir"], Takes::Value),
    ("log_file", &["log-file"], Takes::Value),
    ("log_file_max_size", &["log-file-max-size"], Takes::Value),
    ("logtostderr", &[], Takes::Switch),
    ("one_output", &["one-output"], Takes::Switch),
    ("skip_headers", &["skip-headers"], Takes::Switch),
    ("skip_log_headers", &["skip-log-headers"], Takes::Switch),
    ("stderrthreshold", &[], Takes::Value),
    ("v", &[], Takes::Value),
    ("vmodule", &[], Takes::Value),
];

/// All of them; what they are given is not kept.
#[derive(Debug, Clone, Copy, Default)]
pub struct KlogArgs;

impl Args for KlogArgs {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.iter().map(|&(name, aliases, takes)| {
            let arg = takes.arg(name).aliases(aliases).global(true);
            let arg = arg.action(ArgAction::Set);
            if name == "v" { arg.short('v') } else { arg }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for KlogArgs {
    fn from_arg_matches(_: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self)
    }

    fn update_from_arg_matches(&mut self, _: &ArgMatches) -> Result<(), clap::Error> {
        Ok(())
    }
}
