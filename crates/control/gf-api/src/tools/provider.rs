//! `gf_provider_health`: how each provider has done over seven days.

use super::Call;
use crate::{
    Problem,
    view::{status::provider_named, words},
};
use futures_util::future::join_all;
use gf_model::{
    fleet::Fleet,
    provider::{Pool, Provider, ProviderId, ProviderStatus, TrackRecord},
};
use gf_planner::{
    score::{self, Score},
    track,
};
use gf_tools::{ProviderHealthParams, ProviderHealthReply, provider::ProviderLine};
use std::collections::BTreeMap;

/// Who asks twice within so long gets the first answer.
const FRESH_SECONDS: i64 = 15;

/// The providers are asked how they are first: what the fleet sees of them may be its own eyes' fault.
pub(super) async fn health(
    call: &Call,
    params: ProviderHealthParams,
) -> Result<ProviderHealthReply, Problem> {
    let asked_at = call.api.clock.now();
    let (asked, due) = call.api.store.read(|fleet| {
        let asked = params.provider.as_deref().map(|given| provider_named(fleet, given)).transpose()?;
        let stale = |provider: &&Provider| {
            asked.as_ref().is_none_or(|id| provider.id == *id)
                && provider
                    .status_asked_at
                    .is_none_or(|at| asked_at.duration_since(at).as_secs() >= FRESH_SECONDS)
        };
        let due: Vec<_> =
            fleet.providers.values().filter(stale).map(|provider| provider.id.clone()).collect();
        Ok::<_, Problem>((asked, due))
    })?;
    for answered in join_all(due.iter().map(|id| call.api.requests.ask_provider(id))).await {
        if let Err(error) = answered {
            tracing::warn!(%error, "what a provider said of itself could not be written down");
        }
    }
    let now = call.api.clock.now();
    call.api.store.read(|fleet| {
        let counted = track::records(fleet, now);
        let fits = |provider: &&Provider| asked.as_ref().is_none_or(|id| provider.id == *id);
        let providers: Vec<_> =
            fleet.providers.values().filter(fits).map(|provider| line(fleet, provider, &counted)).collect();
        let summary = if providers.is_empty() {
            "There is no provider.".to_owned()
        } else {
            providers.iter().map(sentence).collect::<Vec<_>>().join(" ")
        };
        Ok(ProviderHealthReply { summary, providers })
    })
}

pub fn pool(pool: Pool) -> &'static str {
    match pool {
        Pool::Primary => "primary",
        Pool::Standby => "standby",
        Pool::Paused => "paused",
    }
}

/// What its score says it should be used for.
fn advice(score: Option<Score>) -> &'static str {
    score.map_or("unknown", |score| score::advice(score.points).words())
}

fn line(fleet: &Fleet, provider: &Provider, counted: &BTreeMap<ProviderId, TrackRecord>) -> ProviderLine {
    let record = track::combined(&provider.record, counted.get(&provider.id));
    let score = score::score(&record);
    let succeeded = record.provisions_tried.saturating_sub(record.provisions_failed);
    let percent = |part: u64, whole: u64| (1000.0 * part as f64 / whole as f64).round() / 10.0;
    ProviderLine {
        provider: provider.id.to_string(),
        score: score.map(|score| score.points.into()),
        advice: advice(score).to_owned(),
        pool: pool(provider.pool).to_owned(),
        low_confidence: score.is_none_or(|score| score.low_confidence),
        provisions: record.provisions_tried.into(),
        failed_provisions: record.provisions_failed.into(),
        average_provision_seconds: (succeeded > 0)
            .then(|| (record.provision_millis_total / u64::from(succeeded)) as f64 / 1000.0),
        api_success_percent: (record.api_calls > 0)
            .then(|| percent(record.api_calls.saturating_sub(record.api_errors), record.api_calls)),
        uptime_percent: record.uptime_ppm.map(|ppm| f64::from(ppm) / 10_000.0),
        incident: match &provider.status {
            ProviderStatus::Incident { title, .. } => Some(title.clone()),
            ProviderStatus::Ok | ProviderStatus::Unknown => None,
        },
        status: match &provider.status {
            ProviderStatus::Ok => "ok",
            ProviderStatus::Incident { .. } => "incident",
            ProviderStatus::Unknown => "unknown",
        }
        .to_owned(),
        status_asked_at: provider.status_asked_at.map(|at| at.to_string()),
        instances: instances(fleet, provider),
        quota: None,
        history: Vec::new(),
    }
}

/// How many stand there.
pub fn instances(fleet: &Fleet, provider: &Provider) -> u64 {
    fleet.live_instances().filter(|instance| instance.provider == provider.id).count() as u64
}

fn sentence(line: &ProviderLine) -> String {
    let score = match line.score {
        Some(score) if line.low_confidence => format!("score {score} (low confidence)"),
        Some(score) => format!("score {score}"),
        None => "score unknown".to_owned(),
    };
    let time =
        line.average_provision_seconds.map(|seconds| format!(", {} on average", words::seconds(seconds)));
    let incident = match (&line.incident, line.status.as_str()) {
        (Some(title), _) => Some(format!(" It reports an incident: {title}.")),
        (None, "ok") => Some(" It reports no incident.".to_owned()),
        _ => line.status_asked_at.is_some().then(|| " It does not say how it is.".to_owned()),
    };
    format!(
        "{}: {score}, advice {}, pool {}; {}, {} failed{}; {}.{}",
        line.provider,
        line.advice,
        line.pool,
        words::count(line.provisions, "provision", "provisions"),
        line.failed_provisions,
        time.unwrap_or_default(),
        words::instances(line.instances),
        incident.unwrap_or_default()
    )
}
