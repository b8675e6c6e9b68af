//! Pages: the grid of integrations, one page an integration with its history, one page a run, one a plan. Each is one file with its style inside:
//! no script, nothing fetched from anywhere. Does not know how anything was computed, nor where the files go.

mod chart;
mod grid;
mod history;
mod names;
mod pieces;
mod plan;
mod run;
mod shell;
mod text;

pub use grid::{Line, Standing, grid};
pub use history::history;
pub use names::{history_file, run_file};
pub(in crate::render) use plan::plan;
pub use run::run;
pub use shell::Site;
