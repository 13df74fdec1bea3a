//! NDI discovery of a flow.

use std::collections::BTreeSet;

/// Port of a discovery server where none is said, as AWS has it.
const PORT: i32 = 5959;

/// NDI discovery, requested or observed. In a wish, `None` means "as AWS likes".
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Ndi {
    /// Name of the flow in NDI.
    pub machine_name: Option<String>,
    /// Address, port, interface.
    pub servers: Vec<(String, Option<i32>, String)>,
}

impl Ndi {
    /// Whether what was seen is not this wish; `None` is NDI switched off.
    #[must_use]
    pub fn differs(&self, seen: Option<&Self>) -> bool {
        let Some(seen) = seen else { return true };
        let servers = |ndi: &Self| {
            let all = ndi.servers.iter();
            all.map(|(address, port, on)| (address.clone(), port.unwrap_or(PORT), on.clone())).collect::<BTreeSet<_>>()
        };
        servers(self) != servers(seen) || (self.machine_name.is_some() && self.machine_name != seen.machine_name)
    }

    /// Whether a discovery server is reached through this interface.
    #[must_use]
    pub fn stands_on(&self, interface: &str) -> bool {
        self.servers.iter().any(|(.., on)| on == interface)
    }
}
