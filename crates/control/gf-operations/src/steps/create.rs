//! Makes a place with OpenClaw in it. `uncertain` stands in the store before the provider is asked.

use super::{
    config::revision_name,
    context::{StepContext, StepError, enter},
};
use gf_driver::{CreatePlace, MemoryLocation, Place};
use gf_model::{
    AccountId, Cents, RevisionId, Tier,
    channel::AccountChannel,
    fleet::{Account, Change, Fleet},
    gateway::{Gateway, Generation},
    instance::{Instance, InstanceState, Role},
    operation::{MemorySource, Step},
    provider::ProviderId,
    verb::Verb,
};
use gf_policy::leases::default_fencing;
use serde_json::{Value, json};

pub(super) async fn act(context: &StepContext<'_>) -> Result<Value, StepError> {
    let Step::CreateInstance { instance: id, provider, .. } = &context.step else {
        return Err(StepError::Failed("not an order for an instance".into()));
    };
    let driver = context.driver(provider)?;
    let before = context.hands.store.read(|fleet| fleet.instances.get(id).cloned());
    let known = before.filter(|instance| instance.state.exists());
    if let Some(known) = &known
        && known.place.is_some()
        && !known.uncertain
    {
        return Ok(json!({ "place": known.place }));
    }
    let was_uncertain = known.is_some_and(|known| known.uncertain);
    let memory = memory(context)?;
    context.write(|fleet, changes| intend(context, fleet, changes)).await?;

    // What an earlier call may have made is looked for before anything is made again.
    let found = if was_uncertain { driver.find(provider, id).await? } else { None };
    let (place, revision) = match found {
        // With which keys it was made is not known; whoever aligns configurations finds out.
        Some(place) => (place, None),
        None => {
            let (order, revision) = order(context, memory)?;
            (driver.create(&order).await?, revision)
        }
    };
    context.write(|fleet, changes| made(context, fleet, &place, revision, changes)).await?;
    Ok(json!({ "place": place.id, "node": place.node, "endpoint": place.endpoint }))
}

/// Where the memory lies that the instance should start with.
fn memory(context: &StepContext<'_>) -> Result<Option<MemoryLocation>, StepError> {
    let Step::CreateInstance { memory, .. } = &context.step else { return Ok(None) };
    context.hands.store.read(|fleet| match memory {
        None => Ok(None),
        Some(MemorySource::Snapshot(id)) => fleet
            .snapshots
            .get(id)
            .map(|snapshot| Some(MemoryLocation::Snapshot(snapshot.location.clone())))
            .ok_or_else(|| StepError::Failed(format!("there is no snapshot {id}"))),
        Some(MemorySource::Archive(id)) => fleet
            .archives
            .get(id)
            .map(|archive| Some(MemoryLocation::Archive(archive.location.clone())))
            .ok_or_else(|| StepError::Failed(format!("there is no archive {id}"))),
    })
}

/// The order, and the revision whose keys are in it.
fn order(
    context: &StepContext<'_>,
    memory: Option<MemoryLocation>,
) -> Result<(CreatePlace, Option<RevisionId>), StepError> {
    let Step::CreateInstance { instance, account, role, tier, provider, region, .. } = &context.step else {
        return Err(StepError::Failed("not an order for an instance".into()));
    };
    let gateway = context.hands.store.read(|fleet| fleet.gateways.get(account).cloned());
    let revision = gateway.as_ref().and_then(|gateway| gateway.revision);
    let owned = gateway.as_ref().map_or_else(|| json!({}), |gateway| gateway.owned.clone());
    let order = CreatePlace {
        label: instance.clone(),
        account: account.clone(),
        role: *role,
        tier: *tier,
        provider: provider.clone(),
        region: region.clone(),
        generation: gateway.map_or(Generation(1), |gateway| gateway.generation),
        memory,
        configuration: (*context.hands.base_configuration).clone(),
        owned,
        revision: revision_name(revision),
    };
    Ok((order, revision))
}

/// Before the call: the account, its gateway and an instance whose fate is uncertain.
fn intend(context: &StepContext<'_>, fleet: &Fleet, changes: &mut Vec<Change>) {
    let Step::CreateInstance { instance, account, role, tier, provider, region, memory } = &context.step
    else {
        return;
    };
    let now = context.now();
    if !fleet.accounts.contains_key(account) {
        changes.push(Account { id: account.clone(), channels: Vec::new(), created_at: now }.into());
    }
    let known_gateway = fleet.gateways.get(account).cloned();
    let channels = fleet.accounts.get(account).map_or(&[][..], |account| &account.channels);
    let mut gateway = known_gateway.unwrap_or_else(|| new_gateway(context, account, *tier, channels));
    match role {
        Role::Primary => gateway.primary = Some(instance.clone()),
        Role::Standby => gateway.standby = Some(instance.clone()),
    }
    let generation = gateway.generation;
    changes.push(gateway.into());

    let known = fleet.instances.get(instance).filter(|known| known.state.exists()).cloned();
    let mut record = known.unwrap_or_else(|| Instance {
        monthly_cost: price(fleet, provider, *tier),
        generation,
        remembers: match memory {
            Some(MemorySource::Snapshot(id)) => Some(id.clone()),
            _ => None,
        },
        ..Instance::new(
            instance.clone(),
            account.clone(),
            *role,
            *tier,
            provider.clone(),
            region.clone(),
            now,
        )
    });
    record.uncertain = true;
    changes.push(record.into());
}

fn new_gateway(
    context: &StepContext<'_>,
    account: &AccountId,
    tier: Tier,
    channels: &[AccountChannel],
) -> Gateway {
    let purpose = match &context.operation.verb {
        Verb::Provision { purpose, .. } => purpose.clone(),
        _ => None,
    };
    Gateway { purpose, ..Gateway::new(account.clone(), tier, default_fencing(channels), context.now()) }
}

/// The provider's own price, or half of the list price of a pair.
fn price(fleet: &Fleet, provider: &ProviderId, tier: Tier) -> Cents {
    let listed = Cents(tier.list_price().0 / 2);
    fleet.providers.get(provider).and_then(|provider| provider.prices.get(&tier).copied()).unwrap_or(listed)
}

/// After the answer: the place is known, and so is its fate.
fn made(
    context: &StepContext<'_>,
    fleet: &Fleet,
    place: &Place,
    revision: Option<RevisionId>,
    changes: &mut Vec<Change>,
) {
    let Some(record) = fleet.instances.get(&place.label) else { return };
    let mut record = record.clone();
    record.uncertain = false;
    record.place = Some(place.id.clone());
    record.node = Some(place.node.clone());
    record.endpoint = place.endpoint.clone().or(record.endpoint);
    record.revision = revision;
    // A fast node may have reported more than this already.
    if record.state == InstanceState::Creating {
        enter(&mut record, InstanceState::Bootstrapping, context.now());
    }
    changes.push(record.into());
}
