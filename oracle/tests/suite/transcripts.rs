//! Transcripts as files.

use natlaw_model::allocator::LinuxLike;
use natlaw_oracle::run::situations;
use natlaw_oracle::situations::SITUATIONS;
use natlaw_oracle::transcript::{Recorded, Transcript, TranscriptError};

use crate::modelled::Modelled;

#[test]
fn a_transcript_written_and_read_again_is_the_same() {
    let mut device = Modelled::new(LinuxLike::new);
    let cases = situations(&mut device, SITUATIONS).expect("it answers");
    let transcript = Transcript { recorded: Recorded::by(&device), cases };
    let text = transcript.to_string();
    assert_eq!(Transcript::parse(&text).expect("a transcript"), transcript);
    assert_eq!(text.lines().count(), 1 + transcript.cases.len() + transcript.steps());
}

#[test]
fn what_is_no_transcript_says_in_which_line() {
    const WHO: &str = r#"{"recorded":{"device":"linux","versions":{}}}"#;
    const STEP: &str = r#"{"step":{"event":{"elapse":"1s"},"outcome":{"elapsed":{}}}}"#;
    let error = |text: &str| Transcript::parse(text).expect_err(text);
    assert!(matches!(error(""), TranscriptError::NobodyAnswered));
    assert!(matches!(error(STEP), TranscriptError::NobodyAnswered));
    assert!(matches!(error(&format!("{WHO}\n{WHO}")), TranscriptError::Twice(2)));
    assert!(matches!(error(&format!("{WHO}\n{STEP}")), TranscriptError::NoCase(2)));
    let garbled = error(&format!("{WHO}\n{{\"step\":1}}"));
    assert!(garbled.to_string().starts_with("line 2: "), "{garbled}");
    assert!(error(&format!("{WHO}\n{STEP}")).to_string().contains("before any `case`"));
}
