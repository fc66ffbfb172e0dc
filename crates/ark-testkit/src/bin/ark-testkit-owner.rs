//! Owns one server until it is killed, for the test that nothing outlives its
//! owner. Prints the server's directory when it is ready.
//!
//! usage: `ark-testkit-owner plane|s3`

use std::io::{self, Read as _, Write as _};

use anyhow::{Result, bail};
use ark_testkit::s3::S3Server;
use ark_testkit::{ControlPlane, Options};

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("plane") => {
            let options = Options {
                without_controllers: true,
                ..Options::default()
            };
            let plane = ControlPlane::start(&options)?;
            wait(plane.dir())
        }
        Some("s3") => wait(S3Server::start()?.dir()),
        _ => bail!("usage: ark-testkit-owner plane|s3"),
    }
}

fn wait(dir: &std::path::Path) -> Result<()> {
    writeln!(io::stdout(), "{}", dir.display())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
