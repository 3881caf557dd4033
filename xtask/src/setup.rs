//! What every command shares: whatever is missing is installed, and said.

use crate::layout::Layout;
use crate::{Outcome, packages, plugin, runtime, say};

pub fn all(layout: &Layout) -> Outcome<()> {
    runtime::install(layout)?;
    plugin::install(layout)?;
    packages::install(layout, &packages::TESTS_NEED)?;
    say::line("everything that is needed is installed");
    Ok(())
}
