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
        "arrange|commission|fire up|register|enroll|enrol|generate|provision|create|add|launch|spin up|set up|bring up|onboard|stand up|build|make|start up|sign up|prepare|spawn|allocate|instantiate",
    ),
    (&[Make, Push], "deploy"),
    (&[Make, Operation], "provisioning"),
    (&[Want], "require|need|want|get|give|have|like|love"),
    (
        &[Remove],
        "removal|deletion|decommissioning|trash|bin|scrap|kill|eliminate|erase|axe|get shot of|wipe out|clear out|throw away|throw out|clean up|sunset|discard|dispose of|tear down|teardown|delete|remove|destroy|decommission|get rid|wipe|take down|shut down|terminate|offboard|drop|nuke|kill off|purge|deprovision|retire|dismantle",
    ),
    (
        &[Restore],
        "restoration|revive|un-delete|bring to life|unarchive|un-archive|rehydrate|restore|recover|bring back|reinstate|undelete|resurrect",
    ),
    (
        &[Resize],
        "retier|re-tier|shrink|enlarge|right-size|resize|downsize|upsize|downgrade|upgrade|scale|scale up|scale down|right size|rightsize|bump up|size down",
    ),
    (&[Move], "move|put|bump|change|switch|migrate|convert|transfer|swap"),
    (
        &[Set],
        "disable|enable|turn off|turn on|switch off|switch on|activate|deactivate|configure|adjust|set|update|replace",
    ),
    (&[Push], "rollout to|send out|broadcast|publish|push|roll out|apply|distribute|ship|propagate"),
    (
        &[Rollback],
        "rewind|return to|unroll|take back the|back it out|un-push|roll back|rollback|revert|undo|reverse|back out|go back",
    ),
    (
        &[Restart],
        "relaunch|reset|power cycle|power-cycle|re-start|respawn|restart up|restart|reboot|bounce|kick|recycle|cycle|heal|repair|fix",
    ),
    (
        &[Failover],
        "evacuate|failover to|switchover|cutover|flip|flip over|promote|fail over|failover|fail-over|promote|switch over|cut over",
    ),
    (&[Pause], "ban|blacklist|bench|put on hold|stall|pause|hold|suspend|halt|freeze"),
    (&[Stop], "stop|no longer"),
    (
        &[Resume],
        "reenable|re-enable|reactivate|unban|go on with|pick up|unhold|un-pause|go on|resume|continue|unpause|carry on|keep going",
    ),
    (
        &[Cancel],
        "unsubscribe|scrub|abandon|stop the operation|kill the operation|scrap the operation|cancel|abort|call off|unschedule",
    ),
    (&[Retry], "have another go|give it another try|re-run|once more|retry|try again|rerun|redo"),
    (&[Silence], "unpage|stop paging|ack|shut up|silence|mute|quiet|suppress|snooze|hush|shush|quieten"),
    (
        &[Show],
        "what about|give me|let me see|pull up|bring up the|dump|walk me through|show|list|display|tell|print|view|describe|see|fetch|enumerate",
    ),
    (
        &[Check],
        "ping|have a look at|take a look at|troubleshoot|verify|look up|debug|monitor|test|check|diagnose|inspect|examine|probe|investigate|look at|look into|compare|analyze|analyse|review",
    ),
    (&[Schedule], "schedule|scheduled|remind|subscription"),
    (&[Keep], "keep|leave|spare|except|skip|excluding|but not|not touch"),
    (&[Approve], "approve|grant|authorize|authorise|thumbs up|green light"),
    (&[Use], "use|using|prefer|let|allow"),
    (&[Open], "open|file|declare|raise"),
    (&[Resolve], "resolve|resolved|close|closed|mitigate|mitigated"),
    (
        &[Send],
        "shoot me|ping me|text me|message me|wake me|email me|drop me|hit me|send|sending|mail|deliver|post",
    ),
    (&[Account], "subscriber|acct|accts|acc|pairs|account|user|customer|client|tenant|pair|gateway"),
    (&[Instance], "instance|machine|box|server|vps|host|node"),
    (
        &[Fleet],
        "sitrep|big picture|the whole picture|rundown|run-down|state of play|lay of the land|dashboard|shop|farm|platform|infra|infrastructure|everything running|how we doing|ops|fleet|things|stuff|system|cluster|estate|overview|situation",
    ),
    (&[Config], "config|configuration|setting|patch"),
    (&[Model], "model|llm"),
    (
        &[Cost],
        "figures|over plan|under plan|above plan|against plan|versus plan|vs plan|burn|burn rate|burn through|dough|invoice|charges|expenditure|outlay|cash|economics|cost|spend|spent|spending|bill|budget|price|expense|finance|expensive|projection|overspend|money|pay|paying|dollar",
    ),
    (
        &[Waste],
        "arbitrage|save cash|cut costs|cost saving|cost savings|leaner|down the drain|cheap|optimisation|optimization|economize|economise|waste|wasting|wasteful|save money|saving|optimize|optimise|recoverable|cheaper|save",
    ),
    (
        &[Idle],
        "no activity|no longer active|not used|nobody uses|not using|abandoned|not been used|has not used|sleeping|idle|inactive|unused|dormant",
    ),
    (
        &[Oversized],
        "too powerful|bigger than needed|underutilized|underutilised|over-provisioned|overpowered|oversized|over-sized|overprovisioned|underused|under-used|too big|too large",
    ),
    (&[Provider], "provider|vendor|hoster|cloud"),
    (&[Incident], "incident|outage|postmortem|post-mortem"),
    (&[Alert], "pager|paging|noise|alert|alarm|warning|page|notification"),
    (&[Operation], "operation|job|rollout|roll-out|task|work|deployment|push|approval"),
    (
        &[Progress],
        "progress|there yet|longer|percentage|succeed|where are we|flagged|eta|far|done|finish|finished|ready|complete|going|up yet|up|pending|waiting|underway|in progress",
    ),
    (&[Audit], "audit|activity|audit log|audit trail|log|history|trail|chain"),
    (&[Report], "report|summary|digest"),
    (
        &[Briefing],
        "recap|morning news|daily news|morning summary|morning update|daily update|stand-up|standup|brief|briefing|debrief|morning report",
    ),
    (
        &[Health],
        "health|healthy|status|state|alive|ok|okay|fine|score|reliable|reliability|well|protected|sla|uptime|availability|condition|slow|fast|fastest|slowest|performing",
    ),
    (
        &[Trouble],
        "on fire|failing over|failure|red|dead|stuck|hung|hanging|hang|sluggish|laggy|acting up|unresponsive|not responding|offline|flaky|worry|worried|smoke|burning|worst|died|broken|down|wrong|problem|issue|trouble|failing|sick|bad|unhealthy|dying|crashed|crash|error",
    ),
    (&[Exposure], "exposure|exposed|blast radius|affected|impact"),
    (&[Primary], "primary|primaries"),
    (&[Standby], "standby|stand-by|secondary|replica"),
    (&[Tier], "tier|plan|size|level|package"),
    (&[Unprotected], "unprotected|without a standby|no standby|without standby"),
    (&[Archive], "archive|backup"),
    (&[Pool], "pool|selection|rotation|policy"),
    (
        &[All],
        "all|everyone|everybody|everything|anything|whatever|any|every|each|everywhere|whole|entire|anyone",
    ),
    (&[Both], "both"),
    (&[Pronoun], "it|its|that|this|them|these|those|they|one"),
    (&[Place], "there"),
    (&[Live], "live|right now|now|currently"),
    (
        &[Yes],
        "fine by me|fine with me|works for me|yes|yep|yeah|go|go ahead|confirm|confirmed|proceed|do it|sure|agreed|sounds good|ok go|make it so|approved|lgtm|y|aye|affirmative|yup",
    ),
    (
        &[No],
        "do not do it|do not do that|leave it|cancel it|rather not|no way|negative|don't|scratch that|no|nope|wait|hold on|not yet|never mind|nevermind|forget it|n|nah|deny|reject|decline",
    ),
    (
        &[Greeting],
        "good day|yo|hiya|morning|sup|you there|anybody there|anyone there|are you there|hello|hi|hey|good morning|good evening|good afternoon|howdy|greetings",
    ),
    (
        &[Thanks],
        "good work|mate|goodnight|the best|much appreciated|appreciate it|appreciated|wonderful|amazing|brilliant|good night|goodbye|bye|see you|nice one|good bot|excellent|superb|lovely|cheers mate|ta|thanks|thank you|cheers|thx|great work|well done|nice work|good job|great|awesome|perfect",
    ),
    (&[Help], "help|who are you|what are you|what can you|capabilities|commands|usage"),
    (&[Secret], "secret|password|api key|apikey|credential|token|private key|api keys"),
    (&[Shell, Remove], "rm"),
    (
        &[Shell],
        "ssh|bash|shell|exec|sudo|docker|curl|kubectl|systemctl|terminal|log in|log into|log me in|log me into|log on to|get me into|login",
    ),
];

/// Names, times and the small words on which the meaning of an order hangs; a slip in one of these is repaired too.
const FRAME: &str = "nano standard enterprise hetzner vultr contabo hostinger digitalocean degraded failed active \
    bootstrapping creating draining parked stopped promoting nuremberg falkenstein helsinki frankfurt amsterdam london \
    singapore europe ashburn sydney tokyo without except unless until tomorrow tonight today yesterday later maybe \
    perhaps never monday tuesday wednesday thursday friday saturday sunday daily weekly monthly every morning evening \
    night week month hour hours minute minutes first second third last others another instead anymore critical warning \
    false true happened return still immediate immediately rolling batch batches batchsize concurrency maintenance nobody not only both half \
    please thanks hello would could should which where what everything nothing between before after because other others through remaining hundred thousand dozen three four five \
    seven eight nine eleven twelve thirteen fifteen twenty thirty forty fifty sixty seventy eighty ninety";

/// The commonest words of English; see `docs/claw-brain.md` for where the list comes from.
const ENGLISH: &str = include_str!("english.txt");

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
    english: HashSet<&'static str>,
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
        let mut correctable: Vec<&'static str> = single
            .filter(|word| word.len() >= 5 && word.is_ascii())
            .chain(FRAME.split_whitespace().filter(|word| word.len() >= 4))
            .collect();
        correctable.sort_unstable();
        correctable.dedup();
        Self {
            by_first,
            everyday: EVERYDAY.split_whitespace().chain(FRAME.split_whitespace()).collect(),
            english: ENGLISH.split_ascii_whitespace().collect(),
            correctable,
        }
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

    /// A word of English, with or without an ending.
    pub fn is_english(&self, word: &str) -> bool {
        let listed = |word: &str| self.english.contains(word) || self.everyday.contains(word);
        let stem = |ending: &str| word.strip_suffix(ending).filter(|stem| stem.len() >= 3);
        let running = stem("ing").is_some_and(|stem| {
            (stem.len() >= 4 && listed(stem)) || (stem.len() >= 4 && listed(&format!("{stem}e")))
        });
        listed(word)
            || running
            || stem("d").is_some_and(|stem| stem.ends_with('e') && listed(stem))
            || ["s", "es", "ed", "er", "ly"].iter().any(|ending| stem(ending).is_some_and(listed))
    }
}
