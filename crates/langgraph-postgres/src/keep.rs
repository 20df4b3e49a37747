//! Whole threads.

use langgraph_rust_runtime::Error;

use crate::connection::Database;

const DELETE: &str = "
    WITH written AS (DELETE FROM checkpoint_writes WHERE thread_id = ANY($1)),
        valued AS (DELETE FROM checkpoint_blobs WHERE thread_id = ANY($1))
    DELETE FROM checkpoints WHERE thread_id = ANY($1)
";

const COPY: &str = "
    WITH written AS (
        INSERT INTO checkpoint_writes (thread_id, checkpoint_ns, checkpoint_id, task_id, task_path,
            idx, channel, type, blob)
        SELECT $2::text, checkpoint_ns, checkpoint_id, task_id, task_path, idx, channel, type, blob
        FROM checkpoint_writes WHERE thread_id = $1
        ON CONFLICT DO NOTHING
    ), valued AS (
        INSERT INTO checkpoint_blobs (thread_id, checkpoint_ns, channel, version, type, blob)
        SELECT $2::text, checkpoint_ns, channel, version, type, blob
        FROM checkpoint_blobs WHERE thread_id = $1
        ON CONFLICT DO NOTHING
    )
    INSERT INTO checkpoints (thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type,
        checkpoint, metadata)
    SELECT $2::text, checkpoint_ns, checkpoint_id, parent_checkpoint_id, type, checkpoint, metadata
    FROM checkpoints WHERE thread_id = $1
    ON CONFLICT DO NOTHING
";

/// Deletes all of the threads.
pub(crate) async fn delete(database: &Database, threads: Vec<&str>) -> Result<(), Error> {
    if threads.is_empty() {
        return Ok(());
    }
    database.query(DELETE, &[&threads]).await?;
    Ok(())
}

/// Copies what of a thread is not there.
pub(crate) async fn copy(database: &Database, from: &str, to: &str) -> Result<(), Error> {
    database.query(COPY, &[&from, &to]).await?;
    Ok(())
}
