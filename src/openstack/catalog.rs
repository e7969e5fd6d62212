//! The catalogue: which services a cloud has, and where.

use serde::Deserialize;

use super::service::{Interface, Service};

/// One service of a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogService {
    /// The service type.
    #[serde(rename = "type", default)]
    pub service_type: String,
    /// What the operator called it.
    #[serde(default)]
    pub name: String,
    /// Its endpoints.
    #[serde(default)]
    pub endpoints: Vec<CatalogEndpoint>,
}

/// One endpoint of a service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogEndpoint {
    /// `public`, `internal` or `admin` (old catalogues: `publicURL`, …).
    #[serde(default)]
    pub interface: String,
    /// The region, by its name.
    #[serde(default)]
    pub region: Option<String>,
    /// The region, by its id.
    #[serde(default)]
    pub region_id: Option<String>,
    /// The address.
    #[serde(default)]
    pub url: String,
}

impl CatalogEndpoint {
    fn region_name(&self) -> &str {
        self.region.as_deref().or(self.region_id.as_deref()).unwrap_or("-")
    }

    fn is_in(&self, region: Option<&str>) -> bool {
        region.is_none_or(|wanted| {
            self.region.as_deref() == Some(wanted) || self.region_id.as_deref() == Some(wanted)
        })
    }
}

/// The catalogue of a token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalog {
    services: Vec<CatalogService>,
}

impl Catalog {
    /// A catalogue of these services.
    pub fn new(services: Vec<CatalogService>) -> Self {
        Self { services }
    }

    /// Its services, as Keystone listed them.
    pub fn services(&self) -> &[CatalogService] {
        &self.services
    }

    /// The regions that any endpoint is in, each once, sorted.
    pub fn regions(&self) -> Vec<String> {
        let mut regions: Vec<String> = self
            .services
            .iter()
            .flat_map(|service| &service.endpoints)
            .map(|endpoint| endpoint.region_name().to_owned())
            .collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }

    /// The address of a service. Several endpoints that fit: the first one counts, as with every other client.
    ///
    /// # Errors
    /// What exists instead, in words.
    pub fn endpoint(
        &self,
        service: Service,
        interface: Interface,
        region: Option<&str>,
    ) -> Result<&str, String> {
        let offered: Vec<&CatalogService> = service
            .catalog_types()
            .iter()
            .flat_map(|wanted| self.services.iter().filter(|s| s.service_type == **wanted))
            .collect();
        if offered.is_empty() {
            return Err(self.types());
        }
        offered
            .iter()
            .flat_map(|service| &service.endpoints)
            .find(|e| e.interface.parse() == Ok(interface) && e.is_in(region))
            .map(|endpoint| endpoint.url.as_str())
            .ok_or_else(|| {
                let all: Vec<String> = offered
                    .iter()
                    .flat_map(|service| &service.endpoints)
                    .map(|e| format!("{} in {}", e.interface, e.region_name()))
                    .collect();
                format!("it has {}", list(all))
            })
    }

    fn types(&self) -> String {
        let types = self.services.iter().map(|service| service.service_type.clone()).collect();
        format!("the catalogue has {}", list(types))
    }
}

fn list(mut all: Vec<String>) -> String {
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn catalog() -> Catalog {
        Catalog::new(
            serde_json::from_value(json!([
                { "type": "network", "name": "neutron", "id": "x", "endpoints": [
                    { "interface": "internal", "region": "one", "region_id": "r1", "url": "http://int" },
                    { "interface": "public", "region": "one", "region_id": "r1", "url": "http://pub1" },
                    { "interface": "publicURL", "region": "two", "region_id": "two", "url": "http://pub2" },
                ] },
                { "type": "placement", "endpoints": [] },
                { "type": "computev21", "endpoints": [
                    { "interface": "public", "region": null, "url": "http://nova" },
                ] },
            ]))
            .unwrap(),
        )
    }

    #[rstest]
    #[case(Service::Network, Interface::Public, None, Ok("http://pub1"))]
    #[case(Service::Network, Interface::Public, Some("two"), Ok("http://pub2"))]
    #[case(Service::Network, Interface::Public, Some("r1"), Ok("http://pub1"))]
    #[case(Service::Network, Interface::Internal, Some("one"), Ok("http://int"))]
    #[case(Service::Compute, Interface::Public, None, Ok("http://nova"))]
    #[case(
        Service::Network,
        Interface::Admin,
        None,
        Err("it has internal in one, public in one, publicURL in two")
    )]
    #[case(
        Service::Network,
        Interface::Internal,
        Some("two"),
        Err("it has internal in one, public in one, publicURL in two")
    )]
    #[case(
        Service::Orchestration,
        Interface::Public,
        None,
        Err("the catalogue has computev21, network, placement")
    )]
    fn chooses_by_type_interface_and_region(
        #[case] service: Service,
        #[case] interface: Interface,
        #[case] region: Option<&str>,
        #[case] wanted: Result<&str, &str>,
    ) {
        assert_eq!(catalog().endpoint(service, interface, region), wanted.map_err(str::to_owned));
    }

    #[test]
    fn regions_are_listed_once() {
        assert_eq!(catalog().regions(), ["-", "one", "two"]);
    }
}
