//! People's signing keys: the public halves of keys that never leave their owners. Admins add and withdraw them, so that
//! whoever stole an API key cannot also make their own signature count.

use super::people::{PersonView, known, view, write};
use crate::{
    Api,
    auth::{Identity, access::Access},
    json::Body,
    matching::Object,
    openapi::{Route, Routes},
    problem::{Answer, Problem, parse_id},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use gf_model::{PersonId, person::PersonRole};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewSigningKey {
    /// The 32 bytes of an Ed25519 public key, base64.
    public_key: String,
}

pub fn routes(routes: Routes) -> Routes {
    let admin = Access::Person(PersonRole::Admin);
    routes
        .add(
            Route::post("/v1/people/{id}/signing-keys", admin, "Lets a person sign with this key.")
                .body::<NewSigningKey>()
                .reply::<PersonView>()
                .about(Object::Person),
            add,
        )
        .add(
            Route::delete(
                "/v1/people/{id}/signing-keys/{key}",
                admin,
                "Withdraws a signing key; what it signed before stays signed.",
            )
            .reply::<PersonView>()
            .about(Object::Person),
            withdraw,
        )
}

async fn add(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Body(new): Body<NewSigningKey>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    let key = gf_requests::signing_key(&new.public_key, api.clock.now())?;
    let changed = write(&api, &who, "person.signing_key", &id, |fleet, person| {
        let mut person = known(person, &id)?;
        let is_it = |held: &gf_model::person::SigningKey| held.public_key == key.public_key;
        // One key is one person's: otherwise nobody could say whose signature it was.
        if let Some(owner) = fleet.people.values().find(|other| other.signing_keys.iter().any(is_it)) {
            return Err(Problem::new(
                StatusCode::CONFLICT,
                "signing_key_taken",
                format!("{} signs with this key already", owner.id),
            )
            .at("publicKey", &key.public_key)
            .fix("make another key: clawops people signing-key"));
        }
        person.signing_keys.push(key);
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}

async fn withdraw(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path((id, key)): Path<(String, String)>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    let changed = write(&api, &who, "person.withdraw_signing_key", &id, |_, person| {
        let mut person = known(person, &id)?;
        let before = person.signing_keys.len();
        person.signing_keys.retain(|held| held.id != key);
        if person.signing_keys.len() == before {
            return Err(Problem::not_found("signing_key", &key));
        }
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}
