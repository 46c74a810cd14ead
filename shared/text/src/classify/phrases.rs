//! The rules: phrases, what they say, and how much. A `*` at the end of a word stands for any ending.
//!
//! Weights: 2 says it nearly alone, 1 is a good sign, 0.5 a hint. Contractions are undone before
//! ("doesn't" is "does not"), so phrases are written without apostrophes.

/// Phrases of one label, with their weights.
pub(super) type Rules = &'static [(&'static str, &'static [(f32, &'static str)])];

/// What kind of feedback it is. The phrases of each weight are separated by `|`.
pub(super) const KINDS: Rules = &[
    (
        "bug",
        &[
            (
                2.0,
                "bug|bugs|regression|crash*|stack trace|stacktrace|does not work anymore|no longer works|stopped working|broke|is broken|is broke|internal server error|steps to reproduce|actual behavior|expected behavior|actual behaviour|expected behaviour|unexpected behavior|returns 500|http 500|segfault|null pointer|nullpointerexception",
            ),
            (
                1.0,
                "does not work|do not work|not working|did not work|is not working|fails|failing|failed|failure*|error|errors|exception*|throws|traceback|incorrect|incorrectly|wrong|500|502|503|504|timeout|timeouts|timed out|times out|corrupt*|instead of|should return|should be|reproduce*|reproducible|hangs|hang|freez*|not respond*|missing from|returns null|returns empty|duplicated|unexpected|invalid|not found|404",
            ),
            (
                0.5,
                "issue|issues|problem*|since upgrad*|after upgrad*|after updat*|since the update|suddenly|worked before|used to work|version|log|logs",
            ),
        ],
    ),
    (
        "feature_request",
        &[
            (
                2.0,
                "feature request|feature|proposal|rfc|would be great if|would be nice if|would be nice to|would be nice|would be useful|would be helpful|would be great to|would love to see|would love|please add|please support|add support|support for|would like to see|wish there|i wish|we wish|could you add|can you add|any plans|is there a plan|is there any plan|on the roadmap|enhancement*|suggestion*|it would help|propose*|feature suggestion|consider adding",
            ),
            (
                1.0,
                "features|would like|we need|i need|allow us|allow users|ability to|option to|a way to|should support|should allow|nice to have|improvement*|missing feature|not supported|does not support|add a|add an|new api|expose|implement*|introduce|motivation|alternatives",
            ),
            (0.5, "improve|could be|want to|want|useful|support|allow|instead|integration|provide"),
        ],
    ),
    (
        "question",
        &[
            (
                2.0,
                "how do i|how do we|how can i|how can we|how to|is there a way|is there any way|is it possible|what is the|what are the|where can i|where do i|can someone explain|could you explain|could you clarify|please clarify|any idea|any ideas|what does|wondering if|i was wondering|question|questions|which one|does anyone|should i|should we|why does|why is|what am i doing wrong|is this expected|is that expected|is this intended|not sure how|not sure if|not sure whether|how does",
            ),
            (
                1.0,
                "how|can i|can we|can you|could you|do you|when will|do i need|is there|are there|am i|anyone|help me|difference between|example of|best practice",
            ),
            (
                0.5,
                "what|where|which|why|who|does it|is it|help|explain|understand|confus*|unclear|tried|trying to|thanks in advance|possible|guidance|correct way|advice",
            ),
        ],
    ),
    (
        "complaint",
        &[
            (
                2.0,
                "unacceptable|terrible|awful|horrible|worst|disappoint*|frustrat*|waste of time|wasted|ridiculous|fed up|sick of|useless|cancel our|cancelling|canceling|moving away|switching to|leaving|refund|no response|never got a reply|still waiting|third time|again and again|joke|unreliable|not happy|unhappy|very poor|poor quality|let down|annoy*|angry|overpriced|rip off|a nightmare|nightmare|painful|garbage|sucks",
            ),
            (
                1.0,
                "slow|too slow|too expensive|bad|poor|hate|difficult|too many|too complicated|complicated|hard to use|keeps breaking|keeps failing|every time|constantly|for weeks|for months|for days|worse|ignored|not helpful|unhelpful|inconsistent|tedious|clunky|outdated",
            ),
            (0.5, "why did you|sadly|unfortunately|expected more|hours|lost"),
        ],
    ),
    (
        "praise",
        &[
            (
                2.0,
                "love it|love this|love the|great work|good job|great job|well done|excellent|amazing|awesome|fantastic|wonderful|works great|works perfectly|works like a charm|works well|very happy|really happy|super happy|so easy|very easy|best api|impressed|kudos|keep it up|keep up|brilliant|perfect|delight*|outstanding|superb|pleasure",
            ),
            (
                1.0,
                "great|love|happy|easy to|nice|fast|smooth|helpful|thank you for|thanks for|reliable|intuitive|clear docs|well documented|enjoy|good|best|solid|simple",
            ),
            (0.5, "thanks|thank you|appreciate*|better"),
        ],
    ),
    (
        "other",
        &[
            (
                2.0,
                "out of office|automatic reply|unsubscribe|newsletter|partnership|guest post|job application|vacation|change our address|change my address|vat number|purchase order|new colleague|add a user|meeting|webinar|invoice copy|update our billing|sponsor*",
            ),
            (1.0, "sales|marketing|schedule|calendar|colleague|contact person"),
        ],
    ),
];

/// What it is about.
pub(super) const ASPECTS: Rules = &[
    (
        "documentation",
        &[
            (
                2.0,
                "documentation|docs|doc page|readme|reference page|api reference|tutorial*|guide|guides|documented|undocumented|changelog|sample code|code sample*|code example*|openapi|swagger",
            ),
            (1.0, "example|examples|not mentioned|manual|outdated page|description says|explained"),
        ],
    ),
    (
        "authentication",
        &[
            (
                2.0,
                "authentic*|oauth|oauth2|login|log in|logging in|sign in|signin|sso|saml|api key|api keys|apikey|access token|refresh token|bearer|401|403|unauthorized|unauthorised|forbidden|credential*|jwt|client secret|permission*|scope|scopes|authoriz*|authoris*|password*|2fa|mfa|token",
            ),
            (1.0, "tokens|session|expired|expires|certificate|denied|role|roles|signature"),
        ],
    ),
    (
        "errors",
        &[
            (
                2.0,
                "error message*|error code*|internal server error|500|502|503|504|400|422|exception*|stack trace|stacktrace|traceback|status code*|crash*|bad request",
            ),
            (1.0, "error|errors|fails|failed|failing|failure*|throws|returned null|unexpected response|bad gateway"),
        ],
    ),
    (
        "performance",
        &[
            (
                2.0,
                "performance|latency|slow|slower|slowness|response time*|timeout|timeouts|timed out|times out|p95|p99|throughput|speed|too long|takes minutes|takes seconds|memory leak|high cpu|lag",
            ),
            (1.0, "seconds|minutes|hangs|fast|faster|delay|delays|delayed|memory|ms"),
        ],
    ),
    (
        "limits",
        &[
            (
                2.0,
                "rate limit*|ratelimit*|429|too many requests|throttl*|quota|quotas|page size|max size|maximum size|payload too large|413|limit of|limited to|burst",
            ),
            (1.0, "limit|limits|maximum|exceed*|pagination"),
        ],
    ),
    (
        "breaking_change",
        &[
            (
                2.0,
                "breaking change*|backward* compat*|backwards compat*|broke our|broke my|deprecat*|migrat*|since upgrad*|after upgrad*|after the upgrade|since the upgrade|new version|no longer|removed|sunset*|stopped working after|worked in|used to work|previous version|old version|renamed",
            ),
            (1.0, "upgrade|upgraded|upgrading|compatib*|v1|since the update|after the update|changed"),
        ],
    ),
    (
        "sdk",
        &[
            (
                2.0,
                "sdk|sdks|client library|client libraries|npm|pip|maven|nuget|gem|composer|python client|java client|node client|go client|typings|type definitions|package",
            ),
            (1.0, "library|typescript|wrapper|pypi|import|dependency|dependencies"),
        ],
    ),
    (
        "billing",
        &[
            (
                2.0,
                "billing|invoice*|charged|charges|overcharged|refund*|subscription*|pricing|payment method|credit card|price|prices|upgrade our plan|vat|too expensive|overage*|our plan|trial",
            ),
            (1.0, "plan|plans|cost|costs|paid|pay|expensive|bill"),
        ],
    ),
    (
        "data_correctness",
        &[
            (
                2.0,
                "wrong data|incorrect data|wrong value*|incorrect value*|missing data|data loss|lost data|duplicate records|duplicated|duplicates|out of date|stale data|stale|corrupt*|inconsistent data|mismatch*|wrong total*|rounding|off by one|wrong result*|incorrect result*|encoding|precision|truncated|data is wrong|is incorrect",
            ),
            (
                1.0,
                "incorrect|incorrectly|wrong|inconsistent|missing|duplicate|does not match|null|empty|timezone|time zone|accurate|inaccurate",
            ),
        ],
    ),
    (
        "usability",
        &[
            (
                2.0,
                "hard to use|difficult to use|easy to use|confusing|not intuitive|intuitive|user friendly|usability|unclear|complicated|cumbersome|clunky|tedious|verbose|boilerplate|user experience|ux|hard to find|hard to understand|inconsistent naming|naming|developer experience|get started|getting started|onboarding",
            ),
            (1.0, "confused|complex|simple|simpler|easier|easy|difficult|workaround"),
        ],
    ),
    (
        "security",
        &[
            (
                2.0,
                "security|vulnerab*|cve|exploit*|leak of|leaked|exposed|xss|csrf|injection|encryption|encrypted|gdpr|compliance|pentest|penetration test|tls|ssl|soc2|privilege escalation|insecure|breach",
            ),
            (1.0, "secure|certificate|attack*|sensitive|audit"),
        ],
    ),
    (
        "webhooks",
        &[
            (
                2.0,
                "webhook*|callback url|callbacks|event delivery|event notification*|delivery attempt*|signing secret|event subscription*",
            ),
            (1.0, "callback|notifications|retries"),
        ],
    ),
    (
        "missing_function",
        &[
            (
                2.0,
                "feature request|not supported|does not support|no support for|please add|add support|support for|missing endpoint|no endpoint|no way to|there is no|is there a way|not available|not possible|would be great if|would be nice|would be useful|cannot filter|can not filter|ability to|bulk endpoint|missing feature|lack of|lacks|lacking",
            ),
            (1.0, "missing|unsupported|would like|wish|option to|add a|add an|bulk|filter by|sort by"),
        ],
    ),
];

/// Words of joy (above 0) and of anger (below).
pub(super) const TONES: Rules = &[
    (
        "positive",
        &[
            (
                2.0,
                "love|loves|excellent|amazing|awesome|fantastic|wonderful|perfect|perfectly|brilliant|outstanding|superb|delight*|impressed|works great|great job|great work|well done|like a charm|kudos|best",
            ),
            (
                1.0,
                "great|good|nice|happy|easy|helpful|fast|reliable|smooth|thank you for|thanks for|glad|enjoy*|pleased|intuitive|appreciate*|works well|solved|cool|beautiful|clear",
            ),
            (0.5, "thanks|thank|better|works|fine|improved|simple|like"),
        ],
    ),
    (
        "negative",
        &[
            (
                2.0,
                "terrible|awful|horrible|worst|unacceptable|ridiculous|useless|hate|hates|disappoint*|frustrat*|angry|nightmare|garbage|sucks|disaster|fed up|waste|wasted|painful|pathetic|unusable|furious|crap|disgusting|stupid",
            ),
            (
                1.0,
                "bad|poor|poorly|slow|slower|broken|annoy*|unfortunately|unhappy|wrong|fails|failing|crash*|unreliable|confusing|worse|complain*|difficult|losing|lost|blocked|impossible|expensive|not work*|does not work|no longer works|stopped working|sad|sadly|ugly|weird|horrid|sorry|afraid|outdated|buggy|clunky|tedious",
            ),
            (
                0.5,
                "problem*|issue|issues|error|errors|failed|bug|bugs|can not|missing|stuck|hard|unclear|lack*|no response|still waiting|never",
            ),
        ],
    ),
];

/// How bad it is.
pub(super) const SEVERITIES: Rules = &[
    (
        "blocks_production",
        &[
            (
                2.0,
                "production is down|production down|prod is down|production outage|outage|blocking production|blocks production|production is blocked|blocking us|blocks us|blocked|blocker|blocking|showstopper|show stopper|critical|urgent|urgently|asap|completely down|is down|are down|all requests fail|all our requests|all calls fail|nothing works|can not use|unusable|losing money|losing customers|losing orders|data loss|emergency|severity 1|sev1|p0|p1|can not release|can not deploy|can not process",
            ),
            (
                1.0,
                "in production|our production|production|immediately|customers are affected|our customers can not|our users can not|every request|every call|revenue|all users",
            ),
        ],
    ),
    (
        "degrades",
        &[
            (
                2.0,
                "intermittent*|sometimes|occasionally|randomly|sporadic*|some of our|of our calls|of our requests|of requests|degrad*|slower|slow|timeout|timeouts|timed out|flaky|retry|retries|workaround|partially|rate limit*|throttl*",
            ),
            (
                1.0,
                "often|delays|delayed|latency|some requests|some users|from time to time|inconsistent|error|errors|fails|failed|failing|incorrect|wrong|crash*|does not work|not working|broken",
            ),
        ],
    ),
    (
        "annoys",
        &[
            (
                2.0,
                "minor|cosmetic|typo|typos|nitpick|nit|small issue|not urgent|no rush|low priority|annoy*|slightly|little confusing|bit confusing|inconvenient|would be nice|nice to have|tedious",
            ),
            (1.0, "confusing|unclear|a bit|misleading|outdated|inconsistent naming|spelling|clunky|verbose"),
        ],
    ),
];

/// Words that turn what follows into its opposite.
pub(super) const NEGATORS: &[&str] = &["not", "no", "never", "without", "hardly", "nothing", "neither", "nor", "none"];
