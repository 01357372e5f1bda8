"""What a supplier says to what people wrote about it."""

from alembic import op

from shared.walls import append_only, row_security

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_REPLIES = """
    CREATE TABLE evaluation_replies (
        group_id uuid NOT NULL,
        evaluation_id uuid NOT NULL,
        supplier_id uuid NOT NULL,
        text text NOT NULL,
        replied_by uuid NOT NULL,
        replied_at timestamptz NOT NULL,
        CONSTRAINT pk_evaluation_replies PRIMARY KEY (group_id, evaluation_id),
        CONSTRAINT fk_evaluation_replies_group_id_evaluation_id_evaluations
            FOREIGN KEY (group_id, evaluation_id) REFERENCES evaluations (group_id, id),
        CONSTRAINT ck_evaluation_replies_text CHECK (text <> '')
    )"""


def upgrade() -> None:
    for statement in (
        _REPLIES,
        "CREATE INDEX ix_evaluation_replies_supplier_id ON evaluation_replies (supplier_id)",
        *append_only("evaluation_replies", service="suppliers"),
        *row_security("evaluation_replies", "group_id", "supplier_id"),
    ):
        op.execute(statement)


def downgrade() -> None:
    message = "What suppliers said would be lost; there is no way back."
    raise NotImplementedError(message)
