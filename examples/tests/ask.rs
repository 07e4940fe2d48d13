//! Questions of many kinds, and the answers that they get or do not get.

#[path = "support/library.rs"]
mod library;
#[expect(dead_code, reason = "other tests do more with a program")]
#[path = "support/program.rs"]
mod program;

use ragtrace_examples::AskError;

use library::Scene;
use program::Folder;

const GUIDE: &str = "# Larkfield station\n\n## Power\n\nThe battery lasts eleven days without any sun. A flat battery is \
charged over the service port within four hours. Replace it after six years.\n\n## Care\n\nClean the rain gauge twice a \
year, in spring and in autumn. The wind vane, part LF-210, needs no oil and costs 24 euros.\n\n## Radio\n\nThe radio link \
reaches 300 metres in the open and about 80 metres through stone walls. The base was designed by Ada Quill.";

const HARBOUR: &str = "The harbour board meets on Mondays. Its chair is Tom Reed. The mole was built in 1923. It is made of \
granite. Boats pay four crowns a night.";

async fn english() -> Scene {
    Scene::with(&[("guide.md", GUIDE), ("harbour.txt", HARBOUR)]).await
}

#[tokio::test]
async fn a_question_is_answered_by_the_passage_that_is_about_it() {
    let scene = english().await;
    scene.assert_answered("How long does the battery last without sun?", "eleven days").await;
    scene.assert_answered("How often should I clean the rain gauge?", "twice a year").await;
    scene.assert_answered("Who designed the base?", "Ada Quill").await;
    let answer = scene.ask("When was the mole built?").await.expect("an answer");
    assert!(answer.sentences.contains("The mole was built in 1923. [1]"), "{answer:?}");
    assert!(answer.passages[0].score > 0.8 && answer.passages[0].score <= 1.0, "{answer:?}");
    assert_eq!(answer.passages[0].hit.name, "harbour.txt");
}

#[tokio::test]
async fn a_question_that_nothing_answers_gets_nothing() {
    let scene = english().await;
    for asked in [
        "Who painted the Sistine chapel?",
        "What is the capital of Mongolia?",
        "How do I reset my password?",
        // These speak of things that the documents mention, and ask for what they do not say.
        "What warranty does the battery have?",
        "Which company manufactures the rain gauge?",
        "How much does the harbour master earn?",
        "xylophone",
    ] {
        scene.assert_unanswered(asked).await;
    }
}

#[tokio::test]
async fn a_score_does_not_depend_on_the_other_candidates() {
    let alone = Scene::with(&[("harbour.txt", HARBOUR)]).await;
    alone.assert_unanswered("Who sold the painted balloon?").await;
    let answer = alone.ask("Who is the chair of the harbour board?").await.expect("an answer");
    assert!(answer.passages[0].score > 0.8, "{answer:?}");
}

#[tokio::test]
async fn inflections_and_misspellings_are_found() {
    let scene = english().await;
    scene.assert_answered("cleaning of rain gauges", "Clean the rain gauge").await;
    scene.assert_answered("How are flat batteries charged?", "charged over the service port").await;
    scene.assert_answered("how long does the batery last without sun", "eleven days").await;
    scene.assert_answered("HOW OFTEN IS THE RAIN GUAGE CLEANED", "twice a year").await;
}

#[tokio::test]
async fn names_numbers_and_single_words_are_questions_too() {
    let scene = english().await;
    scene.assert_answered("LF-210", "LF-210").await;
    scene.assert_answered("What is LF-210?", "wind vane").await;
    scene.assert_answered("1923", "1923").await;
    scene.assert_answered("Ada Quill", "Ada Quill").await;
    scene.assert_answered("battery", "battery").await;
    scene.add("", "lots.txt", "The lot of 12,500 tiles was sold to the mayor of Ostry.").await;
    scene.assert_answered("Who bought the 12500 tiles?", "12,500 tiles").await;
    scene.assert_answered("12500", "12,500 tiles").await;
    scene.assert_unanswered("LF-999").await;
    scene.assert_unanswered("1875").await;
}

#[tokio::test]
async fn a_long_question_is_about_what_it_says() {
    let scene = english().await;
    let long = "Good morning, I bought one of your Larkfield stations last year and I would like to know, if it is not too \
                much trouble, for how many days the battery lasts without any sun.";
    scene.assert_answered(long, "eleven days").await;
    let pasted = "Lorem ipsum dolor sit amet. ".repeat(2_000);
    scene.assert_unanswered(&pasted).await;
}

#[tokio::test]
async fn nothing_in_a_question_is_an_operator_of_the_index() {
    let scene = english().await;
    for asked in [
        "battery\" OR \"mole",
        "battery AND (sun",
        "NEAR(battery sun, 5) *",
        "text : battery ^ -sun",
        "'; DROP TABLE chunks; --",
        "\"\"\" *",
        "{battery} + sun",
        "\u{0}battery\u{FFFF}",
        "%_?*[]",
    ] {
        // Whatever the answer is, it is none of the database's errors.
        let outcome = scene.ask(asked).await;
        assert!(!matches!(outcome, Err(AskError::Store(_))), "{asked}: {outcome:?}");
    }
    scene.assert_answered("battery", "battery").await;
}

#[tokio::test]
async fn a_question_of_no_words_is_not_answered() {
    let scene = english().await;
    assert!(matches!(scene.ask("  ").await, Err(AskError::NoQuestion)));
    scene.assert_unanswered("?!…").await;
}

#[tokio::test]
async fn other_languages_are_asked_in_their_own_words() {
    let scene = Scene::with(&[
        (
            "de.md",
            "# Handbuch\n\nDie Batterie hält ohne Sonne elf Tage. Der Regenmesser wird zweimal im Jahr gereinigt. Die Brücken \
             wurden 1911 von Karl Maurer gebaut.",
        ),
        (
            "fr.md",
            "# Manuel\n\nLa batterie dure onze jours sans soleil. Le pluviomètre doit être nettoyé deux fois par an. Le phare \
             fut dessiné par Hélène Morvan.",
        ),
        ("ru.md", "# Руководство\n\nБатарея работает одиннадцать дней без солнца. Дождемер чистят дважды в год."),
    ])
    .await;
    scene.assert_answered("Wie lange hält die Batterie ohne Sonne?", "elf Tage").await;
    scene.assert_answered("Wer hat die Brücke gebaut?", "Karl Maurer").await;
    scene.assert_answered("Combien de jours la batterie dure-t-elle sans soleil ?", "onze jours").await;
    scene.assert_answered("Qui a dessiné le phare ?", "Morvan").await;
    scene.assert_answered("Сколько дней работает батарея без солнца?", "одиннадцать").await;
    scene.assert_unanswered("Wie hoch ist der Kirchturm?").await;
    scene.assert_unanswered("Quel est le prix du billet ?").await;
}

#[tokio::test]
async fn scripts_without_spaces_are_searched_by_their_characters() {
    let scene = Scene::with(&[
        ("ja.txt", "電池は太陽がなくても十一日間もちます。雨量計は年に二回掃除してください。"),
        ("zh.txt", "电池可以使用十一天。雨量计每年清洗两次。灯塔高三十八米。"),
        ("th.txt", "แบตเตอรี่ใช้งานได้สิบเอ็ดวัน เครื่องวัดฝนต้องทำความสะอาดปีละสองครั้ง"),
        ("ko.txt", "배터리는 열하루 동안 지속됩니다. 우량계는 일 년에 두 번 청소합니다."),
    ])
    .await;
    scene.assert_answered("電池は何日もちますか", "十一日間").await;
    scene.assert_answered("雨量計の掃除", "年に二回").await;
    scene.assert_answered("灯塔有多高？", "三十八米").await;
    scene.assert_answered("แบตเตอรี่", "แบตเตอรี่").await;
    scene.assert_answered("배터리", "배터리").await;
    scene.assert_unanswered("月球的背面").await;
}

#[tokio::test]
async fn a_tenant_is_answered_from_its_own_documents() {
    let mut scene = english().await;
    scene.add("acme", "secret.md", "The vault opens with the number 4711.").await;
    scene.assert_unanswered("Which number opens the vault?").await;
    scene.library.tenant = "acme".to_owned();
    scene.assert_answered("Which number opens the vault?", "4711").await;
    scene.assert_unanswered("When was the mole built?").await;
    scene.library.tenant = "nobody".to_owned();
    assert!(matches!(scene.ask("When was the mole built?").await, Err(AskError::NoDocuments)));
}

fn ingested() -> Folder {
    let folder = Folder::new();
    folder.file("guide.md", GUIDE);
    folder.file("harbour.txt", HARBOUR);
    assert_eq!(folder.run("ingest", &["guide.md", "harbour.txt"]).code, Some(0));
    folder
}

#[test]
fn the_program_names_the_document_and_heading_under_its_answer() {
    let folder = ingested();
    let run = folder.run("ask", &["How", "long", "does", "the", "battery", "last?"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let source = run.stdout.lines().find(|line| line.starts_with("[1]")).expect("a source");
    assert!(source.starts_with("[1] guide.md > Larkfield station > Power (score 0."), "{source}");
}

#[test]
fn the_program_says_that_nothing_answers_a_question_and_exits_with_1() {
    let folder = ingested();
    let run = folder.run("ask", &["Who painted the Sistine chapel?"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    let said = "error: nothing in the documents answers this; ask in other words, or ingest more documents\n";
    assert_eq!(run.stderr, said);
}

#[test]
fn the_program_answers_in_json() {
    let folder = ingested();
    let run = folder.run("ask", &["--json", "When was the mole built?"]);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON and nothing else");
    assert_eq!((run.code, &answer["answered"], &answer["error"]), (Some(0), &true.into(), &serde_json::Value::Null));
    assert_eq!(answer["sentences"][0], "The mole was built in 1923. [1]");
    let source = &answer["sources"][0];
    assert_eq!((&source["document"], &source["page"]), (&"harbour.txt".into(), &serde_json::Value::Null));
    assert!(source["score"].as_f64().is_some_and(|score| score > 0.8 && score <= 1.0), "{source}");

    let run = folder.run("ask", &["--json", "Who painted the Sistine chapel?"]);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON and nothing else");
    assert_eq!(
        (run.code, &answer["answered"], answer["sources"].as_array().map(Vec::len)),
        (Some(1), &false.into(), Some(0))
    );
}

#[test]
fn the_least_score_is_an_option() {
    let folder = ingested();
    let asked = "When was the mole built?";
    assert_eq!(folder.run("ask", &["--min-score", "1", asked]).code, Some(1));
    assert_eq!(folder.run("ask", &["--min-score", "0", "What colour is the mole?"]).code, Some(0));
    for wrong in ["1.5", "-1", "NaN", "much"] {
        let run = folder.run("ask", &[&format!("--min-score={wrong}"), asked]);
        assert!(run.code == Some(2) && run.stderr.contains("it is a number from 0 to 1"), "{}", run.stderr);
    }
}

#[test]
fn an_embedder_that_is_not_compiled_in_says_so() {
    let folder = ingested();
    if cfg!(not(feature = "minilm")) {
        let run = folder.run("ask", &["--embedder", "minilm", "battery"]);
        let said = "error: this build has no embedder minilm; build it with `--features minilm`\n";
        assert_eq!((run.code, run.stderr.as_str()), (Some(2), said));
    }
}
