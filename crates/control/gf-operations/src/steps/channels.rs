//! Gives the live instance its account's channels under the pair's generation, and moves the endpoint to it.

use super::context::{StepContext, StepError};
use gf_model::{AccountId, InstanceId, channel::AccountChannel, instance::Instance};
use gf_node_proto::{ChannelsSet, InstanceRole, Sensitive};
use serde_json::{Map, Value, json};

pub(super) async fn connect(
    context: &StepContext<'_>,
    account: &AccountId,
    id: &InstanceId,
) -> Result<Value, StepError> {
    let instance = context.living(id)?;
    let (generation, channels) = context.hands.store.read(|fleet| {
        let generation = fleet.gateways.get(account).map(|gateway| gateway.generation);
        let channels = fleet.accounts.get(account).map(|account| account.channels.clone());
        (generation, channels.unwrap_or_default())
    });
    let generation =
        generation.ok_or_else(|| StepError::Failed(format!("there is no gateway of {account}")))?;

    // Before it is ordered: it may need a lease under this generation in order to obey.
    context.change(id, |instance| instance.generation = generation).await?;
    let order = ChannelsSet {
        instance_id: id.to_string(),
        generation: generation.0,
        open: true,
        channels: Some(Sensitive {
            value: with_credentials(context, &instance, &channels).await?.to_string(),
        }),
        role: InstanceRole::Primary.into(),
    };
    context.command(&instance, "channels", order, context.hands.limits.long_command).await?;

    context
        .write(|fleet, changes| {
            let (Some(gateway), Some(instance)) = (fleet.gateways.get(account), fleet.instances.get(id))
            else {
                return;
            };
            let (mut gateway, mut instance) = (gateway.clone(), instance.clone());
            instance.channels_on = true;
            instance.generation = generation;
            gateway.endpoint = instance.endpoint.clone();
            changes.push(instance.into());
            changes.push(gateway.into());
        })
        .await?;
    let kinds: Vec<_> = channels.iter().map(|channel| channel.kind.as_str()).collect();
    Ok(json!({ "channels": kinds, "endpoint": instance.endpoint, "generation": generation }))
}

/// OpenClaw's `channels` object, credentials included: it exists in memory and on the link only.
async fn with_credentials(
    context: &StepContext<'_>,
    instance: &Instance,
    channels: &[AccountChannel],
) -> Result<Value, StepError> {
    let mut all = Map::new();
    for channel in channels {
        let mut settings = match &channel.settings {
            Value::Object(settings) => settings.clone(),
            _ => Map::new(),
        };
        settings.insert("enabled".into(), json!(true));
        if let Some(name) = &channel.secret {
            let secret = super::secret::reveal(context, instance, name).await?;
            settings.insert(credential_key(&channel.kind).into(), json!(secret.as_str()));
        }
        all.insert(channel.kind.clone(), Value::Object(settings));
    }
    Ok(Value::Object(all))
}

/// Under which key OpenClaw expects a channel's credential.
fn credential_key(kind: &str) -> &'static str {
    match kind {
        "telegram" => "botToken",
        "irc" => "password",
        _ => "token",
    }
}
