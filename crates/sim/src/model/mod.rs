//! The service models: which operations exist, where their members travel and what they must look like.
//!
//! The table of a service is `model.json` in its folder, exported from botocore by `export.py`.

mod check;
mod shape;

pub use check::{Violation, ViolationKind, check, check_input, check_output};
pub use shape::{Operation, Place, Shape, ShapeKind, Table};

use std::sync::LazyLock;

use crate::services;

static TABLES: LazyLock<Vec<Table>> =
    LazyLock::new(|| services::ALL.iter().filter_map(|service| Table::parse(service.model)).collect());

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_has_the_table_of_its_name() {
        for service in services::ALL {
            let table = Table::parse(service.model).expect("a table");
            assert_eq!(table.service, service.name);
            assert_eq!(services::ALL.iter().filter(|other| other.name == service.name).count(), 1, "{}", service.name);
        }
    }
}
