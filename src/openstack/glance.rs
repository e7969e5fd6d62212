//! Glance, the image service (API v2).

use http::Method;
use serde::Deserialize;

use super::error::Error;
use super::lenient::null_default;
use super::service::Service;
use super::session::Session;

/// How many items a page has.
const PAGE: u32 = 200;

/// The typed calls of Glance.
#[derive(Debug, Clone)]
pub struct Glance {
    session: Session,
}

impl Session {
    /// The typed calls of Glance.
    pub fn glance(&self) -> Glance {
        Glance { session: self.clone() }
    }
}

/// An image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Image {
    /// The id.
    pub id: String,
    /// The name, which need not be unique.
    #[serde(default, deserialize_with = "null_default")]
    pub name: String,
    /// `active`, …
    #[serde(default, deserialize_with = "null_default")]
    pub status: String,
    /// `public`, `private`, `shared` or `community`.
    #[serde(default, deserialize_with = "null_default")]
    pub visibility: String,
    /// The least memory, in MiB.
    #[serde(default, deserialize_with = "null_default")]
    pub min_ram: u64,
    /// The least disk, in GiB.
    #[serde(default, deserialize_with = "null_default")]
    pub min_disk: u64,
    /// Its size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// `qcow2`, `raw`, …
    #[serde(default)]
    pub disk_format: Option<String>,
    /// Its tags.
    #[serde(default, deserialize_with = "null_default")]
    pub tags: Vec<String>,
}

impl Glance {
    /// Active images; all, or those with this name.
    pub async fn images(&self, name: Option<&str>) -> Result<Vec<Image>, Error> {
        self.session
            .request(Service::Image, Method::GET, "/images")
            .query("status", "active")
            .query_opt("name", name)
            .send_pages(PAGE)
            .await?
            .read(Some("images"))
    }

    /// One image.
    pub async fn image(&self, id: &str) -> Result<Image, Error> {
        self.session.request(Service::Image, Method::GET, format!("/images/{id}")).send().await?.read(None)
    }
}
