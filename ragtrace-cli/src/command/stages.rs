//! `ragtrace stages`: lists the catalog of stages.

use ragtrace_store::{self as store, CatalogStage};

use crate::output::list::{self, Column};
use crate::output::{Failure, Format, Found, Output};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    let found = store::open(url).await?.stages().await?;
    if found.is_empty() {
        return Found::nothing_listed(args.format, "the store has no stages yet");
    }
    list::write(&mut Output::new(), args.format, &found, &COLUMNS, CatalogStage::to_json)?;
    Ok(Found::Something)
}

const COLUMNS: [Column<CatalogStage>; 5] = [
    Column::text("service", |row| row.service().unwrap_or("-").to_owned()),
    Column::text("stage", |row| row.name().to_owned()),
    Column::exact("kind", |row| row.kind().to_owned()),
    Column::exact("level", |row| row.level().to_owned()),
    Column::text("declared at", |row| format!("{}:{}", row.file(), row.line())),
];
