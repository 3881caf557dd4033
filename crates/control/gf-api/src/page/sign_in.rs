//! Letting a browser in, and out again.

use super::{html, shell};
use crate::{
    Api,
    auth::{
        Identity,
        browser::{COOKIE, SESSION_SECONDS, cookie_of},
        person,
    },
    problem::{Answer, Problem},
};
use axum::{
    Extension, Form, Json,
    extract::{
        Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use gf_model::person::Principal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Good for one browser and two minutes.
    pub url: String,
}

#[derive(Deserialize)]
pub struct Token {
    token: Option<String>,
}

#[derive(Deserialize)]
pub struct Key {
    key: String,
}

pub async fn link(State(api): State<Api>, Extension(who): Extension<Identity>) -> Answer<Link> {
    let Principal::Person(person) = who.principal else {
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", "the page is for people"));
    };
    let token = api.browsers.link(person, api.clock.now(), &*api.entropy);
    Ok(Json(Link { url: format!("{}/enter?token={token}", api.options.public_url) }))
}

/// Whatever is no link is one that nobody made.
pub async fn enter(State(api): State<Api>, given: Result<Query<Token>, QueryRejection>) -> Response {
    let token = given.ok().and_then(|Query(given)| given.token).unwrap_or_default();
    match api.browsers.enter(&token, api.clock.now(), &*api.entropy) {
        Some(cookie) => welcome(&cookie),
        None => refuse(&api, "This link was used before or is too old. Run clawops page again."),
    }
}

/// Whatever is no form has a key that belongs to nobody.
pub async fn with_key(State(api): State<Api>, given: Result<Form<Key>, FormRejection>) -> Response {
    let key = given.map(|Form(given)| given.key).unwrap_or_default();
    let found =
        api.store.read(|fleet| person::owner(fleet.people.values(), key.trim()).map(|p| p.id.clone()));
    match found {
        Some(person) => welcome(&api.browsers.sign_in(person, api.clock.now(), &*api.entropy)),
        None => refuse(&api, "This key belongs to nobody."),
    }
}

pub async fn leave(State(api): State<Api>, headers: HeaderMap) -> Response {
    if let Some(cookie) = cookie_of(&headers) {
        api.browsers.sign_out(cookie);
    }
    (
        [(header::SET_COOKIE, format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"))],
        Redirect::to("/"),
    )
        .into_response()
}

fn welcome(cookie: &str) -> Response {
    let cookie = format!("{COOKIE}={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION_SECONDS}");
    ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
}

fn refuse(api: &Api, why: &str) -> Response {
    html(api, StatusCode::UNAUTHORIZED, |nonce| shell::sign_in(nonce, Some(why)))
}
