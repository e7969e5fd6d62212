//! `clouds.yaml` and `secure.yaml`, with a password in each.

use proptest::prelude::*;
use serde_json::{Value, json};
use tempest_operator::openstack::{CaSource, CloudsFile};

use super::{LONGEST_ERROR, mutate};

const SECRETS: [&str; 3] = ["fake-password-1234", "fake-secret-5678", "fake-token-90ab"];

fn trees() -> Vec<Value> {
    let [password, secret, token] = SECRETS;
    let auth_url = "https://cloud.example/identity";
    let clouds = json!({ "clouds": {
        "lab": {
            "auth": {
                "auth_url": auth_url, "username": "demo", "password": password, "project_name": "demo",
                "user_domain_name": "Default", "project_domain_id": "default",
            },
            "region_name": "RegionOne", "interface": "internalURL", "identity_api_version": 3,
            "network_endpoint_override": "http://10.0.0.1:9696",
        },
        "app": {
            "auth_type": "v3applicationcredential", "verify": false,
            "auth": {
                "auth_url": auth_url, "application_credential_id": "55514473",
                "application_credential_secret": secret,
            },
        },
        "token": { "auth_type": "token", "auth": { "auth_url": auth_url, "token": token, "system_scope": "all" } },
        "empty": null,
    } });
    let secure =
        json!({ "clouds": { "lab": { "auth": { "password": password } }, "new": { "cacert": secret } } });
    vec![clouds, secure]
}

fn texts() -> Vec<String> {
    trees().iter().map(|tree| serde_saphyr::to_string(tree).unwrap()).collect()
}

/// Every error of reading two such files. What they are taken for may show a secret that stands in a name's place.
fn told(clouds: &str, secure: &str) -> Vec<String> {
    let file = match CloudsFile::parse(clouds, Some(secure)) {
        Ok(file) => file,
        Err(error) => return vec![error.to_string(), format!("{error:?}")],
    };
    let mut told = vec![format!("{file:?}")];
    for name in file.names().into_iter().chain(["missing"]) {
        if let Err(error) = file.cloud(name, CaSource::Inline(None)) {
            told.extend([error.to_string(), format!("{error:?}")]);
        }
    }
    told
}

proptest! {
    #![proptest_config(mutate::few())]

    #[test]
    fn damaged_texts_never_give_a_secret_away(clouds in mutate::text(texts()), secure in mutate::text(texts())) {
        // Damage may make a name of a cloud out of a secret; what is a value is told nowhere.
        let is_name = |secret: &&str| {
            [&clouds, &secure].iter().any(|text| text.lines().any(|line| line.trim_start().contains(&format!("{secret}:"))))
        };
        for text in told(&clouds, &secure) {
            for secret in SECRETS.iter().filter(|secret| !is_name(secret)) {
                prop_assert!(!text.contains(*secret), "{}", text);
            }
        }
    }

    #[test]
    fn damaged_files_never_give_a_secret_away(
        clouds in mutate::json_text(trees()), secure in mutate::json_text(trees()),
    ) {
        for text in told(&clouds, &secure) {
            prop_assert!(!SECRETS.iter().any(|secret| text.contains(secret)), "{}", text);
        }
    }

    #[test]
    fn an_error_is_short(clouds in mutate::text(texts())) {
        if let Err(error) = CloudsFile::parse(&clouds, None) {
            prop_assert!(error.to_string().chars().count() <= LONGEST_ERROR);
        }
    }
}
