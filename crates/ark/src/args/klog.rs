//! Flags of the logging library that Velero's command line is built with. They
//! are taken and do nothing here, so that scripts carry over.

use clap::Args;

/// Flags that are taken and do nothing.
#[derive(Debug, Clone, Default, Args)]
pub struct KlogArgs {
    /// Level of detail
    #[arg(
        short = 'v',
        long = "v",
        global = true,
        hide = true,
        value_name = "LEVEL"
    )]
    pub v: Option<String>,
    /// Levels by file
    #[arg(long, global = true, hide = true, value_name = "RULES")]
    pub vmodule: Option<String>,
    /// To standard error
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub logtostderr: Option<String>,
    /// Also to standard error
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub alsologtostderr: Option<String>,
    /// Threshold of that
    #[arg(long, global = true, hide = true, value_name = "LEVEL")]
    pub alsologtostderrthreshold: Option<String>,
    /// Threshold
    #[arg(long, global = true, hide = true, value_name = "LEVEL")]
    pub stderrthreshold: Option<String>,
    /// Meaning of the threshold
    #[arg(long = "legacy_stderr_threshold_behavior", global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub legacy_threshold: Option<String>,
    /// Folder of log files
    #[arg(
        long = "log_dir",
        alias = "log-dir",
        global = true,
        hide = true,
        value_name = "DIR"
    )]
    pub log_dir: Option<String>,
    /// Log file
    #[arg(
        long = "log_file",
        alias = "log-file",
        global = true,
        hide = true,
        value_name = "FILE"
    )]
    pub log_file: Option<String>,
    /// Size of the log file
    #[arg(
        long = "log_file_max_size",
        alias = "log-file-max-size",
        global = true,
        hide = true,
        value_name = "MIB"
    )]
    pub log_file_max_size: Option<String>,
    /// Where to log a stack
    #[arg(
        long = "log_backtrace_at",
        alias = "log-backtrace-at",
        global = true,
        hide = true,
        value_name = "PLACE"
    )]
    pub log_backtrace_at: Option<String>,
    /// One file a level
    #[arg(long = "one_output", alias = "one-output", global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub one_output: Option<String>,
    /// Lines without heads
    #[arg(long = "skip_headers", alias = "skip-headers", global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub skip_headers: Option<String>,
    /// Files without heads
    #[arg(long = "skip_log_headers", alias = "skip-log-headers", global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub skip_log_headers: Option<String>,
    /// Folders in heads
    #[arg(long = "add_dir_header", alias = "add-dir-header", global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub add_dir_header: Option<String>,
}
