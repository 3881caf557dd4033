//! Secrets of accounts: they go in and never come out.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access},
    json::Body,
    matching::Object,
    openapi::{Route, Routes},
    problem::{Answer, parse_id},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use gf_model::{AccountId, Timestamp, channel::SecretName, person::PersonRole};
use gf_secrets::{Listed, Plain, Scope, SecretsError, Use};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All that anybody is told of a secret.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SecretView {
    account: AccountId,
    name: String,
    version: u64,
    updated_at: Timestamp,
}

#[derive(Serialize, JsonSchema)]
struct Secrets {
    items: Vec<SecretView>,
    total: u64,
    next: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Value {
    value: String,
}

#[derive(Serialize, JsonSchema)]
struct Erased {
    /// How many versions.
    erased: u64,
}

const ONE: &str = "/v1/accounts/{account}/secrets/{*name}";

pub fn routes(routes: Routes) -> Routes {
    let admin = Access::Person(PersonRole::Admin);
    routes
        .add(
            Route::get("/v1/accounts/{account}/secrets", admin, "Names of an account's secrets.")
                .reply::<Secrets>(),
            list,
        )
        .add(
            Route::get(ONE, admin, "A secret's name, version and age; never its value.")
                .reply::<SecretView>()
                .about(Object::Secret),
            show,
        )
        .add(
            Route::put(ONE, admin, "Sets a secret.")
                .body::<Value>()
                .reply::<SecretView>()
                .about(Object::Secret),
            set,
        )
        .add(
            Route::delete(ONE, admin, "Erases a secret with all its versions.")
                .reply::<Erased>()
                .about(Object::Secret),
            erase,
        )
}

fn account_of(api: &Api, given: &str) -> Result<AccountId, Problem> {
    let id = parse_id("account", given)?;
    api.store.read(|fleet| crate::tools::pair::gateway_of(fleet, &id).map(|_| ()))?;
    Ok(id)
}

fn view(account: &AccountId, listed: Listed) -> SecretView {
    SecretView {
        account: account.clone(),
        name: listed.name.0,
        version: listed.version,
        updated_at: listed.created_at,
    }
}

/// The error's own words name the secret, never its value.
fn problem(why: &SecretsError) -> Problem {
    let (status, code) = match why {
        SecretsError::BadName { .. } => (StatusCode::BAD_REQUEST, "bad_secret_name"),
        SecretsError::BadSize { .. } => (StatusCode::BAD_REQUEST, "bad_secret_size"),
        SecretsError::Unknown { .. } => (StatusCode::NOT_FOUND, "unknown_secret"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "secrets_unavailable"),
    };
    Problem::new(status, code, why.to_string())
}

async fn list(State(api): State<Api>, Path(account): Path<String>) -> Answer<Secrets> {
    let id = account_of(&api, &account)?;
    let listed = api.secrets.list(&Scope::Account(id.clone())).await.map_err(|why| problem(&why))?;
    let items: Vec<_> = listed.into_iter().map(|secret| view(&id, secret)).collect();
    Ok(Json(Secrets { total: items.len() as u64, items, next: None }))
}

async fn show(State(api): State<Api>, Path((account, name)): Path<(String, String)>) -> Answer<SecretView> {
    let id = account_of(&api, &account)?;
    let listed = api.secrets.list(&Scope::Account(id.clone())).await.map_err(|why| problem(&why))?;
    let versions = listed.into_iter().filter(|secret| secret.name.0 == name);
    let found = versions.max_by_key(|secret| secret.version);
    found.map(|secret| Json(view(&id, secret))).ok_or_else(|| Problem::not_found("secret", name))
}

async fn set(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path((account, name)): Path<(String, String)>,
    Body(given): Body<Value>,
) -> Answer<SecretView> {
    let id = account_of(&api, &account)?;
    let by = Use { principal: &who.principal, at: api.clock.now() };
    let plain = Plain::new(given.value);
    let set = api.secrets.set(by, &Scope::Account(id.clone()), &SecretName(name), plain).await;
    set.map(|listed| Json(view(&id, listed))).map_err(|why| problem(&why))
}

async fn erase(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path((account, name)): Path<(String, String)>,
) -> Answer<Erased> {
    let id = account_of(&api, &account)?;
    let by = Use { principal: &who.principal, at: api.clock.now() };
    let erased = api.secrets.erase(by, &Scope::Account(id), &SecretName(name)).await;
    erased.map(|count| Json(Erased { erased: count as u64 })).map_err(|why| problem(&why))
}
