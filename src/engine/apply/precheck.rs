//! Is a plan still a plan for what is there now?

use crate::model::{Digest, OrgId};
use crate::plan::{Broken, Digests, Plan};

/// What is there now, to be held against the plan's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Digests of configuration, report and mapped fields' definitions.
    pub digests: Digests,
    /// The org that the log-in leads to.
    pub org_id: OrgId,
}

/// Why a plan cannot be applied any more. The way out is always a new plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// The integration was edited.
    #[error("the integration has changed since the plan was made")]
    Configuration {
        /// As planned.
        planned: Digest,
        /// As it is.
        found: Digest,
    },
    /// The report is another.
    #[error("the report has changed since the plan was made")]
    Report {
        /// As planned.
        planned: Digest,
        /// As it is.
        found: Digest,
    },
    /// Somebody changed a mapped field in Setup.
    #[error("the definition of a mapped field has changed in Salesforce since the plan was made")]
    Definitions {
        /// As planned.
        planned: Digest,
        /// As it is.
        found: Digest,
    },
    /// The log-in leads to another org.
    #[error("the plan was made for org {planned}, this log-in leads to {found}")]
    Org {
        /// As planned.
        planned: OrgId,
        /// As it is.
        found: OrgId,
    },
    /// The plan contradicts itself: a bug in Footbridge, or a forged file.
    #[error("the plan contradicts itself: {0}")]
    Broken(#[from] Broken),
}

/// Holds a plan against what is there now; every difference is told, not the first only.
pub fn precheck(plan: &Plan, facts: &Facts) -> Result<(), Vec<Stale>> {
    let mut stale = Vec::new();
    let (planned, found) = (&plan.header.digests, &facts.digests);
    if plan.header.org_id != facts.org_id {
        stale.push(Stale::Org { planned: plan.header.org_id, found: facts.org_id });
    }
    if planned.configuration != found.configuration {
        stale.push(Stale::Configuration { planned: planned.configuration.clone(), found: found.configuration.clone() });
    }
    if planned.report != found.report {
        stale.push(Stale::Report { planned: planned.report.clone(), found: found.report.clone() });
    }
    if planned.definitions != found.definitions {
        stale.push(Stale::Definitions { planned: planned.definitions.clone(), found: found.definitions.clone() });
    }
    stale.extend(plan.broken().into_iter().map(Stale::Broken));
    if stale.is_empty() { Ok(()) } else { Err(stale) }
}
