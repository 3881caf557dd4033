//! The committed OpenAPI document is what the router serves.

use std::{fs, path::Path};

#[test]
fn the_committed_document_is_the_generated_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi.json");
    let generated = format!("{:#}\n", gf_api::document());
    if std::env::var_os("CLAWOPS_WRITE_OPENAPI").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/openapi.json is not what the routes say; write it anew with: \
         CLAWOPS_WRITE_OPENAPI=1 cargo test -p gf-api --test api document"
    );
}

#[test]
fn every_reference_in_it_leads_somewhere() {
    fn references<'a>(value: &'a serde_json::Value, found: &mut Vec<&'a str>) {
        match value {
            serde_json::Value::Object(map) => {
                found.extend(map.get("$ref").and_then(|reference| reference.as_str()));
                map.values().for_each(|value| references(value, found));
            }
            serde_json::Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = gf_api::document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads outside"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// `GET /v1/x` of every route, as the page of the API writes it.
fn routes() -> std::collections::BTreeSet<String> {
    let document = gf_api::document();
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &serde_json::Value)| {
        let methods: Vec<_> = methods.as_object().unwrap().keys().map(|name| name.to_uppercase()).collect();
        methods.into_iter().map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn the_page_of_the_api_names_every_route_and_no_other() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/api.md");
    let page = fs::read_to_string(path).unwrap();
    let is_route = |text: &&str| {
        let Some((method, path)) = text.split_once(' ') else { return false };
        matches!(method, "GET" | "POST" | "PUT" | "PATCH" | "DELETE")
            && path.starts_with('/')
            && !path.contains(' ')
    };
    let named: std::collections::BTreeSet<String> =
        page.split('`').skip(1).step_by(2).filter(is_route).map(str::to_owned).collect();
    // The nodes' WebSocket is merged beside the router and authenticates by itself.
    let mut served = routes();
    served.insert("GET /node/v1/link".to_owned());
    let missing: Vec<_> = served.difference(&named).collect();
    let invented: Vec<_> = named.difference(&served).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "docs/api.md lacks {missing:?} and invents {invented:?}"
    );
}

/// What a fuzzer found missing.
#[test]
fn it_knows_its_parameters_and_what_is_not_modified() {
    let document = gf_api::document();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.keys().all(|path| !path.contains('*')), "OpenAPI has no {{*rest}}");
    for (path, methods) in paths {
        let named: Vec<_> = path.split(['{', '}']).skip(1).step_by(2).collect();
        for (method, described) in methods.as_object().unwrap() {
            let parameters = described["parameters"].as_array().into_iter().flatten();
            let of = |place: &str| {
                let names = parameters.clone().filter(|parameter| parameter["in"] == place);
                names.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>()
            };
            assert_eq!(of("path"), named, "{method} {path}");
            let knows = of("header").contains(&"If-None-Match");
            assert_eq!(described["responses"]["304"].is_object(), knows, "{method} {path}");
        }
    }
}
