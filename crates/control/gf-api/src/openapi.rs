//! Routes and their description in one place: what is declared here is what the router serves, what the gate
//! enforces and what the OpenAPI document says.

use crate::{Api, auth::access::Access, matching::Object, problem::ProblemBody};
use axum::{Router, handler::Handler, http::Method, routing::on};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One route: where it is, who may use it, what goes in and out.
pub struct Route {
    rule: Rule,
    method: Method,
    path: &'static str,
    summary: &'static str,
    query: Option<SchemaOf>,
    body: Option<SchemaOf>,
    reply: Option<SchemaOf>,
    media: &'static str,
}

/// What the gate must know of a route.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    pub access: Access,
    /// The answer holds something that must not be kept to be answered again.
    pub shown_once: bool,
    /// It changes nothing that another control plane decides, though it is no GET: a follower serves it.
    pub follower_serves: bool,
    /// What it shows or changes, which then has an ETag.
    pub object: Option<Object>,
    /// Who changes it must say what they saw.
    pub must_match: bool,
}

impl Route {
    fn new(method: Method, path: &'static str, access: Access, summary: &'static str) -> Self {
        let rule =
            Rule { access, shown_once: false, follower_serves: false, object: None, must_match: false };
        Self { rule, method, path, summary, query: None, body: None, reply: None, media: "application/json" }
    }
    pub fn get(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::GET, path, access, summary)
    }
    pub fn post(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::POST, path, access, summary)
    }
    pub fn put(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::PUT, path, access, summary)
    }
    pub fn patch(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::PATCH, path, access, summary)
    }
    pub fn delete(path: &'static str, access: Access, summary: &'static str) -> Self {
        Self::new(Method::DELETE, path, access, summary)
    }
    pub fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(|generator| generator.root_schema_for::<T>());
        self
    }
    pub fn body<T: JsonSchema>(mut self) -> Self {
        self.body = Some(|generator| generator.subschema_for::<T>());
        self
    }
    pub fn reply<T: JsonSchema>(mut self) -> Self {
        self.reply = Some(|generator| generator.subschema_for::<T>());
        self
    }
    pub fn media(mut self, media: &'static str) -> Self {
        self.media = media;
        self
    }
    /// The answer is never kept: it holds a key.
    pub fn shown_once(mut self) -> Self {
        self.rule.shown_once = true;
        self
    }
}

impl Route {
    /// It changes nothing that another control plane decides: one that follows serves it too.
    pub fn follower_serves(mut self) -> Self {
        self.rule.follower_serves = true;
        self
    }
    /// It shows or changes one object, which has an ETag.
    pub fn about(mut self, object: Object) -> Self {
        self.rule.object = Some(object);
        self
    }
    /// A change without `If-Match` is refused.
    pub fn must_match(mut self) -> Self {
        self.rule.must_match = true;
        self
    }
}

pub type Rules = HashMap<(Method, &'static str), Rule>;

/// The router while it is being declared.
pub struct Routes {
    router: Router<Api>,
    rules: Rules,
    paths: Map<String, Value>,
    generator: SchemaGenerator,
}

impl Default for Routes {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let generator = settings.into_generator();
        Self { router: Router::new(), rules: HashMap::new(), paths: Map::new(), generator }
    }
}

impl Routes {
    pub fn add<H, T>(mut self, route: Route, handler: H) -> Self
    where
        H: Handler<T, Api>,
        T: 'static,
    {
        let described = self.describe(&route);
        // In the document a name that takes the rest of a path is a name like any other.
        let entry = self.paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        entry[route.method.as_str().to_ascii_lowercase()] = described;
        // Only the five methods of `Route`'s constructors reach this, and each has a filter.
        if let Ok(filter) = axum::routing::MethodFilter::try_from(route.method.clone()) {
            self.router = self.router.route(route.path, on(filter, handler));
        }
        self.rules.insert((route.method, route.path), route.rule);
        self
    }

    /// The router without its gate, the gate's rules, and the document.
    pub fn finish(mut self) -> (Router<Api>, Rules, Value) {
        self.generator.subschema_for::<ProblemBody>();
        self.paths.sort_keys();
        let mut schemas = Value::Object(self.generator.take_definitions(true));
        schemas.sort_all_objects();
        let document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "ClawOps control plane",
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "person": {"type": "http", "scheme": "bearer", "description": "A person's own key."},
                    "plugin": {"type": "apiKey", "in": "header", "name": crate::auth::plugin::SIGNATURE_HEADER,
                        "description": "HMAC over method, path, caller header and body; see docs/api.md."},
                    "browser": {"type": "apiKey", "in": "cookie", "name": crate::auth::browser::COOKIE},
                },
            },
        });
        (self.router, self.rules, document)
    }

    fn describe(&mut self, route: &Route) -> Value {
        let named = |name: &str| {
            let name = name.trim_start_matches('*');
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        };
        let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<Value> = in_path.map(named).collect();
        if let Some(query) = route.query {
            parameters.extend(query_parameters(query(&mut self.generator).to_value()));
        }
        if route.method != Method::GET && route.rule.access != Access::Open {
            parameters.push(json!({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
                "description": "The same key with the same body gets the same answer."}));
        }
        if route.rule.object.is_some() {
            let (name, words) = match route.method == Method::GET {
                true => ("If-None-Match", "An ETag; where it still fits the answer is 304."),
                false => {
                    ("If-Match", "The ETag of what was seen; where it has changed since the answer is 412.")
                }
            };
            parameters.push(json!({"name": name, "in": "header", "description": words,
                "required": route.rule.must_match, "schema": {"type": "string"}}));
        }
        let mut problem = json!({"description": "What was wrong and what would be right.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}});
        if route.media == "text/html" {
            problem["content"]["text/html"] = json!({"schema": {"type": "string"}});
        }
        let mut good = json!({"description": "Done."});
        let reply = route.reply.map(|reply| reply(&mut self.generator).to_value());
        if reply.is_some() || route.media != "application/json" {
            good["content"] =
                json!({route.media: {"schema": reply.unwrap_or_else(|| json!({"type": "string"}))}});
        }
        let mut described = json!({
            "summary": route.summary,
            "description": route.rule.access.words(),
            "responses": {"200": good, "4XX": problem.clone(), "5XX": problem},
            "security": security(route.rule.access),
        });
        if route.rule.object.is_some() && route.method == Method::GET {
            described["responses"]["304"] = json!({"description": "It is as the caller has it already."});
        }
        if !parameters.is_empty() {
            described["parameters"] = json!(parameters);
        }
        if let Some(body) = route.body {
            let schema = body(&mut self.generator).to_value();
            described["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        described
    }
}

fn query_parameters(schema: Value) -> Vec<Value> {
    let properties = schema["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut property): (String, Value)| {
        let words = property.as_object_mut().and_then(|map| map.remove("description"));
        let mut parameter = json!({"name": name, "in": "query", "schema": property});
        if let Some(words) = words {
            parameter["description"] = words;
        }
        parameter
    };
    properties.into_iter().map(parameter).collect()
}

fn security(access: Access) -> Value {
    match access {
        Access::Open => json!([]),
        Access::Read | Access::Tool => json!([{"person": []}, {"plugin": []}]),
        Access::Page => json!([{"browser": []}, {"person": []}]),
        Access::Person(_) => json!([{"person": []}]),
        Access::Plugin => json!([{"plugin": []}]),
    }
}
