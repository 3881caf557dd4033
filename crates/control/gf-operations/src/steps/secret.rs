//! The one place where a step looks at an account's secret.

use super::context::{StepContext, StepError};
use gf_model::{channel::SecretName, instance::Instance};
use gf_secrets::{Purpose, Scope, Use};
use zeroize::Zeroizing;

/// The secret's value, for the instance that may have it; its use is in the audit trail by then.
pub(super) async fn reveal(
    context: &StepContext<'_>,
    instance: &Instance,
    name: &SecretName,
) -> Result<Zeroizing<String>, StepError> {
    let account = &instance.account;
    let failed = |why: String| StepError::Failed(format!("the secret {} of {account}: {why}", name.0));
    let node = instance.node.clone().ok_or_else(|| failed(format!("{} has no node", instance.id)))?;
    let by = Use { principal: &context.operation.principal, at: context.now() };
    let purpose = Purpose::Instance { node, instance: instance.id.clone() };
    let scope = Scope::Account(account.clone());
    let revealed = context.hands.secrets.reveal_for(by, &purpose, &scope, name).await;
    let revealed = revealed.map_err(|error| failed(error.to_string()))?;
    let text = revealed.plain.expose_str().map_err(|_| failed("it is not text".into()))?;
    Ok(Zeroizing::new(text.to_owned()))
}
