//! A request in Cedar's words: who, what, and the facts as context.

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use gf_model::person::{PersonRole, Principal};
use gf_policy::Asked;
use std::{
    collections::{HashMap, HashSet},
    error::Error,
    str::FromStr,
};

/// Whose yes there is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Yes {
    /// Of somebody who may approve, also of the one who asks.
    pub a_persons: bool,
    /// Of another than the one who asked.
    pub anothers: bool,
    /// Signed with the person's own signing key.
    pub signed: bool,
}

impl Yes {
    /// From nothing to the most that can be asked of people; what is permitted first is asked for.
    pub(crate) const LADDER: [Self; 5] = [
        Self { a_persons: false, anothers: false, signed: false },
        Self { a_persons: true, anothers: false, signed: false },
        Self { a_persons: true, anothers: false, signed: true },
        Self { a_persons: true, anothers: true, signed: false },
        Self { a_persons: true, anothers: true, signed: true },
    ];
}

const ROLES: [PersonRole; 4] =
    [PersonRole::Viewer, PersonRole::Operator, PersonRole::Approver, PersonRole::Admin];

type Failure = Box<dyn Error + Send + Sync>;

/// Names that are the same in every request.
#[derive(Debug)]
pub(crate) struct Names {
    person: EntityTypeName,
    agent: EntityTypeName,
    service: EntityTypeName,
    action: EntityTypeName,
    role: EntityTypeName,
    fleet: EntityUid,
}

impl Names {
    pub(crate) fn new() -> Result<Self, Failure> {
        let name = EntityTypeName::from_str;
        Ok(Self {
            person: name("Person")?,
            agent: name("Agent")?,
            service: name("Service")?,
            action: name("Action")?,
            role: name("Role")?,
            fleet: uid(&name("Fleet")?, "fleet"),
        })
    }

    /// The principal, as Cedar knows it: with the roles of a person, the parent of a child.
    pub(crate) fn principal(&self, asked: &Asked<'_>) -> Result<(EntityUid, Entities), Failure> {
        let mut attributes = HashMap::new();
        let mut parents = HashSet::new();
        let me = match asked.principal {
            Principal::Person(id) => {
                let held = ROLES.into_iter().filter(|role| Some(*role) <= asked.role);
                parents.extend(held.map(|role| uid(&self.role, role_name(role))));
                uid(&self.person, id.as_str())
            }
            Principal::Agent(name) => {
                let parent = name.split_once('/').map(|(parent, _)| parent);
                parents.extend(parent.map(|parent| uid(&self.agent, parent)));
                attributes.insert("child".to_owned(), RestrictedExpression::new_bool(parent.is_some()));
                uid(&self.agent, name)
            }
            Principal::Service(name) => uid(&self.service, name),
        };
        let entity = Entity::new(me.clone(), attributes, parents)?;
        Ok((me, Entities::from_entities([entity], None)?))
    }

    pub(crate) fn request(&self, asked: &Asked<'_>, me: &EntityUid, yes: Yes) -> Result<Request, Failure> {
        let action = uid(&self.action, asked.verb);
        Ok(Request::new(me.clone(), action, self.fleet.clone(), context(asked, yes)?, None)?)
    }
}

fn context(asked: &Asked<'_>, yes: Yes) -> Result<Context, Failure> {
    let facts = asked.facts;
    let bool = RestrictedExpression::new_bool;
    // A count that does not fit is as large as can be: no limit is passed by it.
    let count = |count: usize| RestrictedExpression::new_long(i64::try_from(count).unwrap_or(i64::MAX));
    let pairs = [
        ("agreed", bool(yes.a_persons)),
        ("agreedByAnother", bool(yes.anothers)),
        ("agreedSigned", bool(yes.signed)),
        ("users", count(facts.users)),
        ("accounts", count(facts.accounts)),
        ("instances", count(facts.instances)),
        ("unvalidated", count(facts.unvalidated)),
        ("minutes", count(facts.minutes)),
        ("costDelta", RestrictedExpression::new_long(facts.cost_delta)),
        ("monthlyBefore", RestrictedExpression::new_long(facts.monthly_before)),
        ("protects", bool(asked.protects())),
        ("primaryFailed", bool(facts.primary_failed)),
        ("leavesUnprotected", bool(facts.leaves_unprotected.is_some())),
        ("neverRan", bool(facts.never_ran)),
        ("failoversRunning", count(facts.failovers_running)),
        ("failoversLately", count(facts.failovers_lately)),
        ("failoversAllowed", count(facts.failovers_allowed)),
        ("outageConfirmed", bool(facts.outage_confirmed)),
    ];
    Ok(Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))?)
}

fn uid(of: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(of.clone(), EntityId::new(id))
}

fn role_name(role: PersonRole) -> &'static str {
    match role {
        PersonRole::Viewer => "viewer",
        PersonRole::Operator => "operator",
        PersonRole::Approver => "approver",
        PersonRole::Admin => "admin",
    }
}
