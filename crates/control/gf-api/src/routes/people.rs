//! People: who may do what, by which keys and which channel identities. Admins only; a key is shown once.

use crate::{
    Api, Problem,
    auth::{Identity, access::Access, person},
    json::{Body, Query},
    matching::Object,
    openapi::{Route, Routes},
    paging::{Listing, Page, page},
    problem::{Answer, parse_id},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::StatusCode,
};
use gf_model::{
    PersonId, Timestamp,
    audit::AuditEntry,
    fleet::Fleet,
    person::{ChannelIdentity, Person, PersonRole, Principal, SigningKey},
};
use gf_store::TransactError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A person without their keys' hashes.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PersonView {
    id: PersonId,
    first_name: String,
    role: PersonRole,
    identities: Vec<ChannelIdentity>,
    keys: u64,
    signing_keys: Vec<SigningKey>,
    zone: Option<String>,
    created_at: Timestamp,
    disabled: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPerson {
    /// Such as person-ada; made from the first name where absent.
    id: Option<String>,
    first_name: String,
    role: PersonRole,
    /// IANA name, such as Europe/Berlin.
    zone: Option<String>,
    #[serde(default)]
    identities: Vec<ChannelIdentity>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PersonChange {
    role: Option<PersonRole>,
    zone: Option<String>,
    disabled: Option<bool>,
}

/// The key in the clear, once.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct FreshKey {
    #[serde(flatten)]
    person: PersonView,
    /// Shown once and kept nowhere.
    key: String,
}

pub fn routes(routes: Routes) -> Routes {
    let admin = Access::Person(PersonRole::Admin);
    routes
        .add(
            Route::get("/v1/people/me", Access::Person(PersonRole::Viewer), "Whose key this is.")
                .reply::<PersonView>(),
            me,
        )
        .add(Route::get("/v1/people", admin, "People.").query::<Page>().reply::<Listing<PersonView>>(), list)
        .add(
            Route::post("/v1/people", admin, "Adds a person and shows their first key once.")
                .body::<NewPerson>()
                .reply::<FreshKey>()
                .shown_once(),
            add,
        )
        .add(
            Route::get("/v1/people/{id}", admin, "One person.").reply::<PersonView>().about(Object::Person),
            one,
        )
        .add(
            Route::patch("/v1/people/{id}", admin, "Changes a person's role or zone, or disables them.")
                .body::<PersonChange>()
                .reply::<PersonView>()
                .about(Object::Person)
                .must_match(),
            change,
        )
        .add(
            Route::post("/v1/people/{id}/keys", admin, "Makes another key and shows it once.")
                .reply::<FreshKey>()
                .shown_once()
                .about(Object::Person),
            another_key,
        )
        .add(
            Route::delete("/v1/people/{id}/keys", admin, "Withdraws all keys of a person.")
                .reply::<PersonView>()
                .about(Object::Person),
            withdraw,
        )
        .add(
            Route::post(
                "/v1/people/{id}/identities",
                admin,
                "Says which sender of a channel this person is.",
            )
            .body::<ChannelIdentity>()
            .reply::<PersonView>()
            .about(Object::Person),
            identify,
        )
        .add(
            Route::delete(
                "/v1/people/{id}/identities/{channel}/{sender}",
                admin,
                "Takes such a statement back.",
            )
            .reply::<PersonView>()
            .about(Object::Person),
            forget_identity,
        )
}

pub(super) fn view(person: &Person) -> PersonView {
    PersonView {
        id: person.id.clone(),
        first_name: person.first_name.clone(),
        role: person.role,
        identities: person.identities.clone(),
        keys: person.key_sha256.len() as u64,
        signing_keys: person.signing_keys.clone(),
        zone: person.zone.clone(),
        created_at: person.created_at,
        disabled: person.disabled,
    }
}

async fn me(State(api): State<Api>, Extension(who): Extension<Identity>) -> Answer<PersonView> {
    let found = match &who.principal {
        Principal::Person(id) => api.store.read(|fleet| fleet.people.get(id).map(view)),
        _ => None,
    };
    found.map(Json).ok_or_else(|| Problem::not_found("person", &who.principal))
}

async fn list(State(api): State<Api>, Query(asked): Query<Page>) -> Answer<Listing<PersonView>> {
    api.store
        .read(|fleet| page(fleet.people.values(), |person| person.id.to_string(), view, &asked))
        .map(Json)
}

async fn one(State(api): State<Api>, Path(id): Path<String>) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    api.store.read(|fleet| known(fleet.people.get(&id), &id)).map(|person| Json(view(&person)))
}

async fn add(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Body(new): Body<NewPerson>,
) -> Answer<FreshKey> {
    let name = new.first_name.trim();
    if name.is_empty() || name.chars().count() > 40 || name.chars().any(char::is_control) {
        return Err(
            Problem::bad_request("bad_name", "a first name has 1 to 40 characters").at("firstName", name)
        );
    }
    let id: PersonId = parse_id("id", new.id.as_deref().unwrap_or(&name.to_lowercase().replace(' ', "-")))?;
    checked_zone(new.zone.as_deref())?;
    let key = person::mint(&*api.entropy);
    let fresh = Person {
        id: id.clone(),
        first_name: name.to_owned(),
        role: new.role,
        identities: new.identities,
        key_sha256: vec![person::digest(&key)],
        signing_keys: Vec::new(),
        zone: new.zone,
        created_at: api.clock.now(),
        disabled: false,
    };
    let person = write(&api, &who, "person.add", &id, |fleet, _| {
        if fleet.people.contains_key(&id) {
            return Err(Problem::new(StatusCode::CONFLICT, "person_exists", format!("{id} exists already"))
                .at("id", &id)
                .fix("choose another id"));
        }
        fresh.identities.iter().try_for_each(|identity| free(fleet, &id, identity))?;
        Ok(fresh)
    })
    .await?;
    Ok(Json(FreshKey { person: view(&person), key }))
}

async fn change(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Body(wanted): Body<PersonChange>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    checked_zone(wanted.zone.as_deref())?;
    let changed = write(&api, &who, "person.change", &id, |fleet, person| {
        let mut person = known(person, &id)?;
        person.role = wanted.role.unwrap_or(person.role);
        person.disabled = wanted.disabled.unwrap_or(person.disabled);
        person.zone = wanted.zone.clone().or(person.zone);
        keeps_an_admin(fleet, &person)?;
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}

async fn another_key(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Answer<FreshKey> {
    let id: PersonId = parse_id("id", &id)?;
    let key = person::mint(&*api.entropy);
    let person = write(&api, &who, "person.key", &id, |_, person| {
        let mut person = known(person, &id)?;
        person.key_sha256.push(person::digest(&key));
        Ok(person)
    })
    .await?;
    Ok(Json(FreshKey { person: view(&person), key }))
}

async fn withdraw(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    let changed = write(&api, &who, "person.withdraw_keys", &id, |fleet, person| {
        let mut person = known(person, &id)?;
        person.key_sha256.clear();
        keeps_an_admin(fleet, &person)?;
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}

async fn identify(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
    Body(identity): Body<ChannelIdentity>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    if identity.channel.trim().is_empty() || identity.sender.trim().is_empty() {
        return Err(Problem::bad_request("bad_identity", "an identity is a channel and a sender")
            .fix("give channel and sender, such as telegram and 777"));
    }
    let changed = write(&api, &who, "person.identity", &id, |fleet, person| {
        let mut person = known(person, &id)?;
        free(fleet, &id, &identity)?;
        if !person.identities.contains(&identity) {
            person.identities.push(identity.clone());
        }
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}

async fn forget_identity(
    State(api): State<Api>,
    Extension(who): Extension<Identity>,
    Path((id, channel, sender)): Path<(String, String, String)>,
) -> Answer<PersonView> {
    let id: PersonId = parse_id("id", &id)?;
    let identity = ChannelIdentity { channel, sender };
    let changed = write(&api, &who, "person.forget_identity", &id, |_, person| {
        let mut person = known(person, &id)?;
        let before = person.identities.len();
        person.identities.retain(|kept| *kept != identity);
        if person.identities.len() == before {
            return Err(Problem::not_found("identity", format!("{}:{}", identity.channel, identity.sender)));
        }
        Ok(person)
    });
    Ok(Json(view(&changed.await?)))
}

pub(super) fn known(person: Option<&Person>, id: &PersonId) -> Result<Person, Problem> {
    person.cloned().ok_or_else(|| Problem::not_found("person", id))
}

/// One sender is one person: otherwise nobody could say whose yes it was.
fn free(fleet: &Fleet, id: &PersonId, identity: &ChannelIdentity) -> Result<(), Problem> {
    let other = fleet.people.values().find(|person| person.id != *id && person.identities.contains(identity));
    other.map_or(Ok(()), |other| {
        Err(Problem::new(
            StatusCode::CONFLICT,
            "identity_taken",
            format!("{} {} is {} already", identity.channel, identity.sender, other.id),
        )
        .at("sender", &identity.sender))
    })
}

/// Without an admin who can still sign in, nobody could ever change this again.
fn keeps_an_admin(fleet: &Fleet, changed: &Person) -> Result<(), Problem> {
    let able = |person: &Person| {
        person.role == PersonRole::Admin && !person.disabled && !person.key_sha256.is_empty()
    };
    if able(changed) || fleet.people.values().any(|person| person.id != changed.id && able(person)) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::CONFLICT, "last_admin", "this would leave the fleet without an admin")
        .fix("make another person admin first"))
}

fn checked_zone(zone: Option<&str>) -> Result<(), Problem> {
    match zone.map(jiff::tz::TimeZone::get) {
        None | Some(Ok(_)) => Ok(()),
        Some(Err(_)) => Err(Problem::bad_request("unknown_zone", "there is no such time zone")
            .at("zone", zone.unwrap_or_default())
            .fix("use an IANA name such as Europe/Berlin")),
    }
}

/// Changes one person, with the row that says who did it, in one durable step.
pub(super) async fn write(
    api: &Api,
    who: &Identity,
    action: &str,
    id: &PersonId,
    decide: impl FnOnce(&Fleet, Option<&Person>) -> Result<Person, Problem>,
) -> Result<Person, Problem> {
    let now = api.clock.now();
    let done = api.store.transact(|fleet, tx| {
        let person = decide(fleet, fleet.people.get(id))?;
        tx.audit(AuditEntry::noted(
            now,
            who.principal.clone(),
            action,
            vec![id.to_string()],
            json!({"role": person.role, "disabled": person.disabled, "keys": person.key_sha256.len(),
                "signingKeys": person.signing_keys.iter().map(|key| &key.id).collect::<Vec<_>>(),
                "identities": person.identities, "trace": who.trace}),
        ));
        tx.put(person.clone());
        Ok(person)
    });
    done.await.map_err(|why| match why {
        TransactError::Refused(problem) => problem,
        TransactError::Store(why) => unavailable(&why),
    })
}

/// The store cannot write: nothing was changed.
pub fn unavailable(why: &gf_store::StoreError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store_unavailable", why.to_string())
}
