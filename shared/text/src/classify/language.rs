//! Which language a text is written in: by its script, and in Latin and Cyrillic letters by its commonest words.
//!
//! Cheap and honest rather than complete: a text in none of these languages, or too short to tell, is `unsure`.

use super::words::Words;

/// How many words are enough to tell.
const ENOUGH_WORDS: usize = 300;

/// The commonest words of each language that say little else.
pub(super) const COMMON: &[(&str, &str)] = &[
    (
        "en",
        "the is are was to of and in that it for with this on not we you have i be from but when can our my your as if there what how does which would they has at by an or please after still all been any get",
    ),
    (
        "de",
        "der die das und ist nicht ein eine ich wir mit für auf den von zu es dem des im sich auch wird werden bei aus nach haben hat kann sind oder wenn wie einen bitte aber noch über als keine kein war sie",
    ),
    (
        "fr",
        "le la les des est et une un que pour dans pas ne sur avec nous vous il je ce du au par plus qui sont mais cette être ont nos votre comment depuis lorsque été aux leur son sa en",
    ),
    (
        "es",
        "el la los las que y en un una es no por con para del se al lo como está pero más su nos cuando hay esta este son muy también ha mi tiene puede desde fue sin sobre",
    ),
    (
        "pt",
        "o os as que e do da em um uma é não para com por no na se mais como dos das foi ao está mas nós seu sua ele ser quando são muito também você isso pelo pela há nos",
    ),
    (
        "it",
        "il lo la gli le che e di un una è non per con del della sono si nel come ma più questo questa anche dal alla dei abbiamo ho quando nella delle essere ha i al ci sul",
    ),
    (
        "nl",
        "de het een en van is niet dat ik we wij te op voor met zijn er aan maar ook als wordt bij naar kan heb hebben geen deze dit nog werd door worden om uit was ze hij",
    ),
    (
        "sv",
        "och att det är som en på för av inte med den till vi jag har ett om men från kan när så de var ska vid eller också efter sig han",
    ),
    (
        "da",
        "og at det er som en på for af ikke med den til vi jeg har et om men fra kan når så de var skal ved eller også efter sig blev der han",
    ),
    (
        "no",
        "og at det er som en på for av ikke med den til vi jeg har et om men fra kan når så de var skal ved eller også etter seg ble han",
    ),
    ("fi", "ja on ei että se en kun mutta myös ovat oli tai joka niin jos kuin olla minun meidän sen hän mukaan ole vain ollut"),
    ("pl", "i w nie na że się jest do z to jak o po za ale są od przez dla czy tylko było może oraz już które ich tym przy jego która"),
    ("cs", "a v je na se že to s z do si o by ale jako pro jsou za není byl po tak od jeho který když až nebo které při jsem má"),
    ("sk", "a v je na sa že to s z do si o by ale ako pre sú za nie bol po tak od jeho ktorý keď až alebo ktoré pri som má"),
    ("hu", "a az és hogy nem is egy van ez de meg azt volt csak már még ki vagy mint el kell ha lesz után között ezt minden"),
    ("ro", "și în de la cu că nu este un o pe din se care pentru sunt mai au fost ce sau dar prin ca după a fi lui al"),
    ("tr", "ve bir bu için ile da de olarak daha çok ne olan değil var gibi kadar sonra ama en mi ben biz olduğu her ya şey"),
    ("id", "yang dan di untuk dengan dari ini tidak itu pada adalah ke dalam saya kami akan bisa oleh juga ada telah atau sudah lebih"),
    ("vi", "và của là không có được cho trong với này các một để những đã tôi khi người từ đến cũng về như tại"),
    ("ru", "и в не на что с по как это для из но к от за мы при вы я он же так было или если уже после его у"),
    ("uk", "і в не на що з по як це для із але до від за ми при ви я він та так було або якщо вже після його у є й"),
    ("bg", "и в не на че с по как това за от но до се да са ни при вие аз той е така беше или ако вече след му си"),
];

/// The bits of the languages that a word is a common one of.
pub(super) fn of_word(word: &str) -> u32 {
    (0..).zip(COMMON).filter(|(_, (_, list))| list.split(' ').any(|common| common == word)).map(|(bit, _)| 1 << bit).sum()
}

/// What was made out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Guess {
    /// ISO 639-1 code, or `unsure`.
    pub(super) code: &'static str,
    /// 0 to 1.
    pub(super) confidence: f32,
    /// Whether the script decided.
    pub(super) by_script: bool,
}

const UNSURE: Guess = Guess { code: "unsure", confidence: 0.0, by_script: false };

/// The language of a text.
pub(super) fn of(title: &str, body: &str, words: &Words) -> Guess {
    by_script(title, body).unwrap_or_else(|| by_words(words))
}

/// Scripts that only one of the languages is written in. Latin and Cyrillic letters leave it to the words.
fn by_script(title: &str, body: &str) -> Option<Guess> {
    if title.is_ascii() && body.is_ascii() {
        return None;
    }
    let (mut latin, mut counts) = (0_usize, [0_usize; SCRIPTS.len()]);
    for c in title.chars().chain(body.chars().take(4096)) {
        latin += usize::from(c.is_ascii_alphabetic());
        if let Some(script) = (c >= '\u{370}').then(|| SCRIPTS.iter().position(|(_, from, to)| (*from..=*to).contains(&c))).flatten() {
            counts[script] += 1;
        }
    }
    let (best, count) = counts.iter().enumerate().max_by_key(|(_, n)| **n)?;
    // Kana are few beside Han in Japanese, and never in Chinese.
    let kana = counts[0];
    let (code, count) = if kana > 0 && kana * 10 >= *count { ("ja", kana + counts[1]) } else { (SCRIPTS[best].0, *count) };
    // One sign of these scripts says as much as several Latin letters, and technical words stay Latin.
    let share = 4.0 * ratio(count) / (4.0 * ratio(count) + ratio(latin)).max(1.0);
    (count >= 2 && share >= 0.5).then_some(Guess { code, confidence: share.min(0.99), by_script: true })
}

const SCRIPTS: &[(&str, char, char); 8] = &[
    ("ja", '\u{3040}', '\u{30FF}'),
    ("zh", '\u{4E00}', '\u{9FFF}'),
    ("ko", '\u{AC00}', '\u{D7AF}'),
    ("ar", '\u{600}', '\u{6FF}'),
    ("he", '\u{590}', '\u{5FF}'),
    ("el", '\u{370}', '\u{3FF}'),
    ("hi", '\u{900}', '\u{97F}'),
    ("th", '\u{E00}', '\u{E7F}'),
];

/// A word that several languages share counts for each of them by its share.
fn by_words(words: &Words) -> Guess {
    let mut scores = [0.0_f32; COMMON.len()];
    let mut letters = 0;
    let plain = words.is_ascii();
    for (i, entry) in words.entries().enumerate().take(ENOUGH_WORDS) {
        letters += usize::from(!words.begins_with_digit(i));
        if entry.languages != 0 {
            let share = 1.0 / ratio(entry.languages.count_ones() as usize);
            let mut rest = entry.languages;
            while rest != 0 {
                scores[rest.trailing_zeros() as usize] += share;
                rest &= rest - 1;
            }
        }
        if !plain {
            letter_hints(words.get(i), &mut scores);
        }
    }
    let best = (0..COMMON.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
    let second = (0..COMMON.len()).filter(|i| *i != best).map(|i| scores[i]).fold(0.0, f32::max);
    let (score, coverage) = (scores[best], scores[best] / ratio(letters.max(1)));
    let confidence = (score - 0.7 * second).max(0.0) / (score + 0.6);
    if score < 1.0 || coverage < 0.08 || confidence < 0.35 {
        return UNSURE;
    }
    Guess { code: COMMON[best].0, confidence: confidence.min(0.99), by_script: false }
}

/// Letters that few of the languages have.
const HINTS: &[(char, &[&str])] = &[
    ('ß', &["de"]),
    ('ä', &["de", "sv", "fi"]),
    ('ü', &["de", "tr", "hu"]),
    ('ñ', &["es"]),
    ('ã', &["pt"]),
    ('õ', &["pt"]),
    ('ç', &["fr", "pt", "tr"]),
    ('è', &["fr", "it"]),
    ('ê', &["fr", "pt"]),
    ('ù', &["it", "fr"]),
    ('å', &["sv", "da", "no"]),
    ('ø', &["da", "no"]),
    ('æ', &["da", "no"]),
    ('ł', &["pl"]),
    ('ż', &["pl"]),
    ('ą', &["pl"]),
    ('ę', &["pl"]),
    ('ś', &["pl"]),
    ('ě', &["cs"]),
    ('ř', &["cs"]),
    ('ů', &["cs"]),
    ('ľ', &["sk"]),
    ('ô', &["sk", "fr"]),
    ('ő', &["hu"]),
    ('ű', &["hu"]),
    ('ș', &["ro"]),
    ('ț', &["ro"]),
    ('ă', &["ro", "vi"]),
    ('ğ', &["tr"]),
    ('ı', &["tr"]),
    ('ş', &["tr"]),
    ('đ', &["vi"]),
    ('ơ', &["vi"]),
    ('ư', &["vi"]),
    ('ế', &["vi"]),
    ('ạ', &["vi"]),
    ('ы', &["ru"]),
    ('э', &["ru"]),
    ('ё', &["ru"]),
    ('ї', &["uk"]),
    ('є', &["uk"]),
    ('і', &["uk"]),
    ('ъ', &["bg"]),
];

fn letter_hints(word: &str, scores: &mut [f32; COMMON.len()]) {
    if word.is_ascii() {
        return;
    }
    for c in word.chars().filter(|c| !c.is_ascii()) {
        let Some((_, codes)) = HINTS.iter().find(|(h, _)| *h == c) else { continue };
        for (bit, _) in COMMON.iter().enumerate().filter(|(_, (code, _))| codes.contains(code)) {
            scores[bit] += 0.5 / ratio(codes.len());
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of words are far below 2^24")]
fn ratio(n: usize) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> &'static str {
        of("", text, &Words::of("", text)).code
    }

    #[test]
    fn sentences_tell_their_language() {
        for (text, wanted) in [
            ("The endpoint returns an error when we call it with a token.", "en"),
            ("Der Endpunkt liefert einen Fehler, wenn wir ihn aufrufen.", "de"),
            ("Nous ne pouvons pas utiliser la nouvelle version de l'API.", "fr"),
            ("No podemos usar la nueva versión de la API desde ayer.", "es"),
            ("Não conseguimos usar a nova versão da API desde ontem.", "pt"),
            ("Non riusciamo a usare la nuova versione della API.", "it"),
            ("Wij kunnen de nieuwe versie van de API niet gebruiken.", "nl"),
            ("APIを呼び出すとエラーが返ってきます。", "ja"),
            ("调用接口时返回错误，请帮忙看看。", "zh"),
            ("API를 호출하면 오류가 발생합니다.", "ko"),
            ("После обновления мы не можем вызвать метод.", "ru"),
            ("Після оновлення ми не можемо викликати метод.", "uk"),
            ("xyzzy 502 foo-bar", "unsure"),
            ("", "unsure"),
        ] {
            assert_eq!(code(text), wanted, "for {text:?}");
        }
    }
}
