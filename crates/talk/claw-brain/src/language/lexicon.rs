//! The words of the trade with their senses, as one table.
//!
//! Only words listed here can make anything happen; a word that is not known never counts as one that is,
//! unless it is a misspelling close enough for `spelling`.

use super::sense::Sense::{self, *};
use std::{
    collections::{HashMap, HashSet},
    sync::OnceLock,
};

/// Words and phrases of up to three words, by sense.
const WORDS: &[(&[Sense], &str)] = &[
    (
        &[Make],
        "provision|create|add|launch|spin up|set up|bring up|onboard|stand up|build|make|start up|sign up|prepare|spawn|allocate|instantiate",
    ),
    (&[Make, Push], "deploy"),
    (&[Make, Operation], "provisioning"),
    (&[Want], "need|want|get|give|have|like|love"),
    (
        &[Remove],
        "tear down|teardown|delete|remove|destroy|decommission|get rid|wipe|take down|shut down|terminate|offboard|drop|nuke|kill off|purge|deprovision|retire|dismantle",
    ),
    (&[Restore], "restore|recover|bring back|reinstate|undelete|resurrect"),
    (
        &[Resize],
        "resize|downsize|upsize|downgrade|upgrade|scale|scale up|scale down|right size|rightsize|bump up|size down",
    ),
    (&[Move], "move|put|bump|change|switch|migrate|convert|transfer|swap"),
    (&[Set], "set|update|replace"),
    (&[Push], "push|roll out|apply|distribute|ship|propagate"),
    (&[Rollback], "roll back|rollback|revert|undo|reverse|back out|go back"),
    (&[Restart], "restart|reboot|bounce|kick|recycle|cycle|heal|repair|fix"),
    (&[Failover], "fail over|failover|fail-over|promote|switch over|cut over"),
    (&[Pause], "pause|hold|suspend|halt|freeze"),
    (&[Stop], "stop|no longer"),
    (&[Resume], "resume|continue|unpause|carry on|keep going"),
    (&[Cancel], "cancel|abort|call off|unschedule"),
    (&[Retry], "retry|try again|rerun|redo"),
    (&[Silence], "silence|mute|quiet|suppress|snooze|hush|shush|quieten"),
    (&[Show], "show|list|display|tell|print|view|describe|see|fetch|enumerate"),
    (
        &[Check],
        "check|diagnose|inspect|examine|probe|investigate|look at|look into|compare|analyze|analyse|review",
    ),
    (&[Schedule], "schedule|scheduled|remind|subscription"),
    (&[Keep], "keep|leave|spare|except|skip|excluding|but not|not touch"),
    (&[Approve], "approve|grant|authorize|authorise"),
    (&[Use], "use|using|prefer|let|allow"),
    (&[Open], "open|file|declare|raise"),
    (&[Resolve], "resolve|resolved|close|closed|mitigate|mitigated"),
    (&[Send], "send|sending|mail|deliver|post"),
    (&[Account], "account|user|customer|client|tenant|pair|gateway"),
    (&[Instance], "instance|machine|box|server|vps|host|node"),
    (&[Fleet], "fleet|things|stuff|system|cluster|estate|overview|situation"),
    (&[Config], "config|configuration|setting|patch"),
    (&[Model], "model|llm"),
    (
        &[Cost],
        "cost|spend|spent|spending|bill|budget|price|expense|finance|expensive|projection|overspend|money|pay|paying|dollar",
    ),
    (&[Waste], "waste|wasting|wasteful|save money|saving|optimize|optimise|recoverable|cheaper|save"),
    (&[Idle], "idle|inactive|unused|dormant"),
    (&[Oversized], "oversized|over-sized|overprovisioned|underused|under-used|too big|too large"),
    (&[Provider], "provider|vendor|hoster|cloud"),
    (&[Incident], "incident|outage|postmortem|post-mortem"),
    (&[Alert], "alert|alarm|warning|page|notification"),
    (&[Operation], "operation|job|rollout|roll-out|task|work|deployment|push|approval"),
    (
        &[Progress],
        "progress|where are we|flagged|eta|far|done|finished|ready|complete|going|up yet|up|pending|waiting|underway|in progress",
    ),
    (&[Audit], "audit|activity|audit log|audit trail|log|history|trail|chain"),
    (&[Report], "report|summary|digest"),
    (&[Briefing], "brief|briefing|debrief|morning report"),
    (
        &[Health],
        "health|healthy|status|state|alive|ok|okay|fine|score|reliable|reliability|well|protected|sla|uptime|availability|condition|slow|fast|fastest|slowest|performing",
    ),
    (
        &[Trouble],
        "broken|down|wrong|problem|issue|trouble|failing|sick|bad|unhealthy|dying|crashed|crash|error",
    ),
    (&[Exposure], "exposure|exposed|blast radius|affected|impact"),
    (&[Primary], "primary|primaries"),
    (&[Standby], "standby|stand-by|secondary|replica"),
    (&[Tier], "tier|plan|size|level|package"),
    (&[Unprotected], "unprotected|without a standby|no standby|without standby"),
    (&[Archive], "archive|backup"),
    (&[Pool], "pool|selection|rotation"),
    (
        &[All],
        "all|everyone|everybody|everything|anything|whatever|any|every|each|everywhere|whole|entire|anyone",
    ),
    (&[Both], "both"),
    (&[Pronoun], "it|that|this|them|these|those|they|one"),
    (&[Place], "there"),
    (&[Live], "live|right now|now|currently"),
    (
        &[Yes],
        "yes|yep|yeah|go|go ahead|confirm|confirmed|proceed|do it|sure|agreed|sounds good|ok go|make it so|approved|lgtm|y|aye|affirmative|yup",
    ),
    (&[No], "no|nope|wait|hold on|not yet|never mind|nevermind|forget it|n|nah|deny|reject|decline"),
    (&[Greeting], "hello|hi|hey|good morning|good evening|good afternoon|howdy|greetings"),
    (&[Thanks], "thanks|thank you|cheers|thx|great work|well done|nice work|good job|great|awesome|perfect"),
    (&[Help], "help|who are you|what are you|what can you|capabilities|commands|usage"),
    (&[Secret], "secret|password|api key|apikey|credential|token|private key|api keys"),
    (&[Shell], "ssh|bash|shell|exec|rm|sudo|docker|curl|kubectl|systemctl|terminal|log in|log into|login"),
];

/// Everyday words that must not be taken for a misspelling of a word above.
const EVERYDAY: &str = "wait waits waited about after again against another asked because before being below between called cannot case cause \
    charge clause comes could count crate every first found from going happen happened happens heart house hours large late \
    later least lead leads left less little local long looks made might minute minutes month months more most never next \
    night nights often order other others over part people person pilot pizza place places poem point pose post provide \
    provided quite rather read region regions remote reset resort rest right second seconds should since some sound sounds \
    start started still store such take takes team test than their them then there these they thing things think third those \
    through time times today together tomorrow tonight translate turn turned twice under until value wants weather week weeks \
    were what when where which while whole whose will with within without word words world would write year years yesterday \
    batch batches reason rolling immediate validate beta message messages capital hostname morning evening";

/// One entry: the words of a phrase and their senses.
pub struct Entry {
    pub words: Vec<&'static str>,
    pub senses: Vec<Sense>,
}

pub struct Lexicon {
    by_first: HashMap<&'static str, Vec<Entry>>,
    everyday: HashSet<&'static str>,
    /// Single words that a misspelling may stand for.
    pub correctable: Vec<&'static str>,
}

impl Lexicon {
    pub fn get() -> &'static Lexicon {
        static LEXICON: OnceLock<Lexicon> = OnceLock::new();
        LEXICON.get_or_init(Self::build)
    }

    fn build() -> Self {
        let mut senses_of: HashMap<&'static str, Vec<Sense>> = HashMap::new();
        for (senses, phrases) in WORDS {
            for phrase in phrases.split('|') {
                senses_of.entry(phrase).or_default().extend_from_slice(senses);
            }
        }
        let mut by_first: HashMap<&'static str, Vec<Entry>> = HashMap::new();
        for (phrase, senses) in senses_of {
            let words: Vec<&'static str> = phrase.split(' ').collect();
            by_first.entry(words[0]).or_default().push(Entry { words, senses });
        }
        for entries in by_first.values_mut() {
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.words.len()));
        }
        let single =
            by_first.values().flatten().filter(|entry| entry.words.len() == 1).map(|entry| entry.words[0]);
        let named = ["standard", "enterprise", "hetzner", "contabo", "hostinger", "digitalocean", "degraded"];
        let mut correctable: Vec<&'static str> =
            single.chain(named).filter(|word| word.len() >= 5 && word.is_ascii()).collect();
        correctable.sort_unstable();
        Self { by_first, everyday: EVERYDAY.split_whitespace().collect(), correctable }
    }

    /// Phrases that begin with this word, longest first.
    pub fn phrases(&self, first: &str) -> &[Entry] {
        self.by_first.get(first).map_or(&[], Vec::as_slice)
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.phrases(word).iter().any(|entry| entry.words.len() == 1)
    }

    pub fn is_everyday(&self, word: &str) -> bool {
        self.everyday.contains(word)
    }
}
