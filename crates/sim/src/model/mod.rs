//! The service models: which operations exist, where their members travel and what they must look like.
//!
//! The tables are exported from botocore by `model/export.py`.

mod check;
mod shape;

pub use check::{Violation, ViolationKind, check, check_input, check_output};
pub use shape::{Operation, Place, Shape, ShapeKind, Table};

use std::sync::LazyLock;

static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    [
        include_str!("../../model/mediaconnect.json"),
        include_str!("../../model/medialive.json"),
        include_str!("../../model/ssm.json"),
        include_str!("../../model/secretsmanager.json"),
        include_str!("../../model/service-quotas.json"),
        include_str!("../../model/cloudwatch.json"),
        include_str!("../../model/sts.json"),
    ]
    .into_iter()
    .filter_map(Table::parse)
    .collect()
});

/// Every service that is modelled.
pub fn tables() -> &'static [Table] {
    &TABLES
}

/// The table of a service, by botocore's name for it (`mediaconnect`, `cloudwatch`, ...).
pub fn table(service: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.service == service)
}

/// The table of the service that signs with this name (`monitoring` for CloudWatch).
pub fn table_by_signing_name(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.signing_name == name)
}
