
/// Whether the change of this number is switched on: `MUTANT` in the environment names it. A file
/// that `MUTANTS_REACHED` names is told of each change that is asked for.
#[doc(hidden)]
pub fn mutant(change: usize) -> bool {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    static ON: LazyLock<Option<usize>> =
        LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
    static REACHED: LazyLock<Option<std::fs::File>> = LazyLock::new(|| {
        let path = std::env::var("MUTANTS_REACHED").ok()?;
        Some(std::fs::File::create(path).expect("MUTANTS_REACHED"))
    });
    static SEEN: [AtomicBool; CHANGES] = [const { AtomicBool::new(false) }; CHANGES];

    if let Some(mut file) = REACHED.as_ref()
        && !SEEN[change].swap(true, Ordering::Relaxed)
    {
        std::io::Write::write_all(&mut file, format!("{change}\n").as_bytes())
            .expect("MUTANTS_REACHED");
    }
    *ON == Some(change)
}
