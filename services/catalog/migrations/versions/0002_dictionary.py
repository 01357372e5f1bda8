"""The dictionary: versions and proposals, code systems, codes that are retired instead of deleted, reference
dictionaries, and what became of the files operators uploaded.

Beside the tables this sets:

- a type's code, a property and an allowed value are never removed and never change their meaning: the database
  compares each new version with all earlier ones;
- a code has the shape its system says; a retired code stays;
- what was published, decided or told is append-only; a published or withdrawn proposal stays as it is;
- nothing here is a company's: all of it is public except proposals and uploads, which operators alone see. The app
  only reads; operators' routes and the loader write as the worker.
"""

from alembic import op

from shared.walls import append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TYPES = [
    "ALTER TABLE component_types ADD COLUMN successor text",
    "ALTER TABLE component_types ADD COLUMN deprecation_reason text",
    "ALTER TABLE component_types ADD COLUMN proposal_id uuid",
    """
    ALTER TABLE component_types ADD CONSTRAINT fk_component_types_successor
        FOREIGN KEY (successor) REFERENCES component_types (code)""",
    """
    ALTER TABLE component_types ADD CONSTRAINT ck_component_types_successor
        CHECK (successor IS NULL OR (status = 'DEPRECATED' AND successor <> code))""",
    """
    ALTER TABLE component_types ADD CONSTRAINT ck_component_types_reviewed_deprecation
        CHECK (proposal_id IS NULL OR status = 'ACTIVE' OR successor IS NOT NULL)""",
    "ALTER TABLE component_type_versions ADD COLUMN proposal_id uuid",
    """
    CREATE FUNCTION dictionary_keeps_codes() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '% are deprecated or retired, never deleted', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """
    CREATE TRIGGER never_deleted BEFORE DELETE ON component_types
    FOR EACH ROW EXECUTE FUNCTION dictionary_keeps_codes()""",
    """
    CREATE FUNCTION type_version_keeps_its_promises() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE broken text;
    BEGIN
        IF NEW.version <> (SELECT coalesce(max(version), 0) + 1 FROM component_type_versions WHERE code = NEW.code) THEN
            RAISE EXCEPTION '% has no gap and no second version %', NEW.code, NEW.version
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT coalesce(p ->> 'key', 'base_uom') INTO broken
        FROM component_type_versions v LEFT JOIN LATERAL jsonb_array_elements(v.definition -> 'properties') p ON true
        WHERE v.code = NEW.code AND (
            v.definition ->> 'base_uom' <> NEW.definition ->> 'base_uom'
            OR NOT EXISTS (
                SELECT FROM jsonb_array_elements(NEW.definition -> 'properties') n
                WHERE n ->> 'key' = p ->> 'key'
                    AND n ->> 'type' = p ->> 'type'
                    AND n -> 'identity' = p -> 'identity'
                    AND coalesce(n ->> 'unit', '') = coalesce(p ->> 'unit', '')
                    AND coalesce(p -> 'allowed', '[]') <@ coalesce(n -> 'allowed', '[]')
            )
        )
        LIMIT 1;
        IF broken IS NOT NULL THEN
            RAISE EXCEPTION '% of % was removed or given another meaning', broken, NEW.code
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER keeps_its_promises BEFORE INSERT ON component_type_versions
    FOR EACH ROW EXECUTE FUNCTION type_version_keeps_its_promises()""",
]

_DICTIONARY = [
    """
    CREATE TABLE dictionary_versions (
        version integer NOT NULL,
        origin text NOT NULL,
        proposal_id uuid,
        published_by uuid,
        published_at timestamptz NOT NULL,
        CONSTRAINT pk_dictionary_versions PRIMARY KEY (version),
        CONSTRAINT ck_dictionary_versions_version CHECK (version > 0),
        CONSTRAINT ck_dictionary_versions_origin CHECK (origin IN ('SEED', 'REVIEW')),
        CONSTRAINT ck_dictionary_versions_reviewed CHECK (
            (origin = 'REVIEW') = (proposal_id IS NOT NULL) AND (origin = 'REVIEW') = (published_by IS NOT NULL)
        )
    )""",
    """
    CREATE TABLE dictionary_changes (
        version integer NOT NULL,
        code text NOT NULL,
        type_version integer NOT NULL,
        status text NOT NULL,
        successor text,
        CONSTRAINT pk_dictionary_changes PRIMARY KEY (version, code),
        CONSTRAINT fk_dictionary_changes_version FOREIGN KEY (version) REFERENCES dictionary_versions (version),
        CONSTRAINT fk_dictionary_changes_code_type_version FOREIGN KEY (code, type_version)
            REFERENCES component_type_versions (code, version),
        CONSTRAINT ck_dictionary_changes_status CHECK (status IN ('ACTIVE', 'DEPRECATED'))
    )""",
    "CREATE INDEX ix_dictionary_changes_code ON dictionary_changes (code)",
    "CREATE INDEX ix_variants_spec_hash ON variants (spec_hash)",
    """
    CREATE TABLE type_proposals (
        id uuid NOT NULL,
        title text NOT NULL,
        note text NOT NULL,
        state text NOT NULL,
        revision integer NOT NULL,
        changes jsonb NOT NULL,
        based_on jsonb NOT NULL,
        proposed_by uuid NOT NULL,
        proposed_by_name text NOT NULL,
        proposed_at timestamptz NOT NULL,
        reviewed_by uuid,
        reviewed_by_name text,
        reviewed_at timestamptz,
        review_reason text,
        dictionary_version integer,
        CONSTRAINT pk_type_proposals PRIMARY KEY (id),
        CONSTRAINT fk_type_proposals_dictionary_version FOREIGN KEY (dictionary_version)
            REFERENCES dictionary_versions (version),
        CONSTRAINT ck_type_proposals_state CHECK (state IN ('PROPOSED', 'RETURNED', 'PUBLISHED', 'WITHDRAWN')),
        CONSTRAINT ck_type_proposals_changes CHECK (jsonb_array_length(changes) BETWEEN 1 AND 100),
        CONSTRAINT ck_type_proposals_second_person CHECK (reviewed_by <> proposed_by),
        CONSTRAINT ck_type_proposals_reviewed CHECK (
            state NOT IN ('RETURNED', 'PUBLISHED') OR (reviewed_by IS NOT NULL AND reviewed_at IS NOT NULL)
        ),
        CONSTRAINT ck_type_proposals_returned_with_reason CHECK (state <> 'RETURNED' OR review_reason <> ''),
        CONSTRAINT ck_type_proposals_published CHECK ((state = 'PUBLISHED') = (dictionary_version IS NOT NULL))
    )""",
    "CREATE INDEX ix_type_proposals_state_id ON type_proposals (state, id)",
    """
    CREATE TABLE type_proposal_events (
        proposal_id uuid NOT NULL,
        seq integer NOT NULL,
        action text NOT NULL,
        revision integer NOT NULL,
        changes_hash text NOT NULL,
        by_id uuid NOT NULL,
        by_name text NOT NULL,
        reason text,
        at timestamptz NOT NULL,
        CONSTRAINT pk_type_proposal_events PRIMARY KEY (proposal_id, seq),
        CONSTRAINT fk_type_proposal_events_proposal_id FOREIGN KEY (proposal_id) REFERENCES type_proposals (id),
        CONSTRAINT ck_type_proposal_events_action CHECK (
            action IN ('PROPOSED', 'REVISED', 'RETURNED', 'PUBLISHED', 'WITHDRAWN')
        )
    )""",
    """
    CREATE FUNCTION type_proposal_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a published or withdrawn proposal stays as it is'
        USING ERRCODE = 'integrity_constraint_violation'; END $$""",
    """
    CREATE TRIGGER final BEFORE UPDATE ON type_proposals FOR EACH ROW
    WHEN (OLD.state IN ('PUBLISHED', 'WITHDRAWN')) EXECUTE FUNCTION type_proposal_is_final()""",
    """
    CREATE TRIGGER never_deleted BEFORE DELETE ON type_proposals
    FOR EACH ROW EXECUTE FUNCTION dictionary_keeps_codes()""",
]

# What is published already is version 1 of the dictionary.
_FIRST_VERSION = [
    """
    INSERT INTO dictionary_versions (version, origin, published_at)
    SELECT 1, 'SEED', max(published_at) FROM component_types HAVING count(*) > 0""",
    """
    INSERT INTO dictionary_changes (version, code, type_version, status)
    SELECT 1, code, version, status FROM component_types""",
]

_CODES = [
    """
    CREATE TABLE code_systems (
        code text NOT NULL,
        name_zh text NOT NULL,
        name_en text NOT NULL,
        licence_note text NOT NULL,
        pattern text,
        dictionary text,
        created_by uuid,
        created_by_name text,
        created_at timestamptz NOT NULL,
        CONSTRAINT pk_code_systems PRIMARY KEY (code),
        CONSTRAINT ck_code_systems_code CHECK (char_length(code) BETWEEN 1 AND 60),
        CONSTRAINT ck_code_systems_pattern CHECK (char_length(pattern) BETWEEN 1 AND 200)
    )""",
    "CREATE UNIQUE INDEX uq_code_systems_lower_code ON code_systems (lower(code))",
    "CREATE UNIQUE INDEX uq_code_systems_dictionary ON code_systems (lower(dictionary))",
    r"""
    INSERT INTO code_systems (code, name_zh, name_en, licence_note, pattern, dictionary, created_at) VALUES
    ('DOUGONG', '斗拱部品代码', 'Dougong component types', 'Ours.', '^[A-Z]{2}-[A-Z0-9]+$', NULL, now()),
    ('IFC', 'IFC 类与预定义类型', 'IFC entity and predefined type (ISO 16739)',
        'Names of the public schema; an empty edition means IFC4 and IFC4X3 alike.',
        '^Ifc[A-Z][A-Za-z0-9]*(\.[A-Z][A-Z0-9_]*)?$', NULL, now()),
    ('GB/T 50851', '建设工程人工材料设备机械数据分类标准', 'GB/T 50851 classes of labour, material and plant',
        'Codes only; the tables are not shipped.', '^\d{2,10}$', NULL, now()),
    ('GB/T 51269', '建筑信息模型分类和编码标准', 'GB/T 51269 classification and coding of building models',
        'Paid state standard: codes only, operators import what they hold.',
        '^\d{2}-\d{2}\.\d{2}\.\d{2}(\.\d{2})?$', NULL, now()),
    ('JG/T 151', '建筑产品分类和编码', 'JG/T 151 classification and coding of building products',
        'Paid industry standard: codes only.', NULL, NULL, now()),
    ('CCI', 'CCI 建设信息分类', 'CCI Construction (Molio)', 'MIT for version 1.0 as published by Molio.',
        NULL, 'molio/cciconstruction', now()),
    ('UNSPSC', '联合国标准产品与服务分类', 'UNSPSC', 'Codes only; its terms apply.', '^\d{8}(\d{2})?$', NULL, now()),
    ('ETIM', 'ETIM 产品类', 'ETIM product classes', 'ODC-By 1.0; language versions may be restricted.',
        '^EC\d{6}$', NULL, now()),
    ('Uniclass', 'Uniclass 2015', 'Uniclass 2015', 'Codes only; operators import the unmodified tables.',
        '^[A-Z][A-Za-z](_\d{2}){1,5}$', NULL, now()),
    ('OmniClass', 'OmniClass', 'OmniClass', 'CSI copyright: codes only.', NULL, NULL, now()),
    ('ECLASS', 'ECLASS', 'ECLASS', 'Licensed: codes only.', NULL, NULL, now())""",
    "ALTER TABLE classification_codes ADD COLUMN origin text NOT NULL DEFAULT 'DICTIONARY'",
    "ALTER TABLE classification_codes ALTER COLUMN origin DROP DEFAULT",
    "ALTER TABLE classification_codes ADD COLUMN added_by uuid",
    "ALTER TABLE classification_codes ADD COLUMN added_by_name text",
    "ALTER TABLE classification_codes ADD COLUMN added_at timestamptz NOT NULL DEFAULT now()",
    "ALTER TABLE classification_codes ALTER COLUMN added_at DROP DEFAULT",
    "ALTER TABLE classification_codes ADD COLUMN retired_at timestamptz",
    """
    ALTER TABLE classification_codes ADD CONSTRAINT fk_classification_codes_system
        FOREIGN KEY (system) REFERENCES code_systems (code)""",
    """
    ALTER TABLE classification_codes ADD CONSTRAINT ck_classification_codes_origin
        CHECK (origin IN ('DICTIONARY', 'OPERATOR') AND (origin = 'DICTIONARY' OR added_by IS NOT NULL))""",
    "ALTER TABLE classification_codes ADD CONSTRAINT ck_classification_codes_edition CHECK (char_length(edition) <= 40)",
    """
    CREATE UNIQUE INDEX uq_classification_codes_without_case
        ON classification_codes (system, edition, lower(code), type_code)""",
    """
    CREATE FUNCTION classification_code_has_its_shape() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT FROM code_systems WHERE code = NEW.system AND NEW.code !~ pattern) THEN
            RAISE EXCEPTION '% is no code of %', NEW.code, NEW.system USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """
    CREATE TRIGGER has_its_shape BEFORE INSERT OR UPDATE OF code, system ON classification_codes
    FOR EACH ROW EXECUTE FUNCTION classification_code_has_its_shape()""",
    """
    CREATE TRIGGER never_deleted BEFORE DELETE ON classification_codes
    FOR EACH ROW EXECUTE FUNCTION dictionary_keeps_codes()""",
    """
    CREATE TABLE classification_code_events (
        id uuid NOT NULL,
        system text NOT NULL,
        edition text NOT NULL,
        code text NOT NULL,
        type_code text NOT NULL,
        action text NOT NULL,
        relation text NOT NULL,
        by_id uuid,
        by_name text NOT NULL,
        reason text,
        at timestamptz NOT NULL,
        CONSTRAINT pk_classification_code_events PRIMARY KEY (id),
        CONSTRAINT ck_classification_code_events_action CHECK (action IN ('ADDED', 'CHANGED', 'RETIRED'))
    )""",
    "CREATE INDEX ix_classification_code_events_type_code ON classification_code_events (type_code)",
]

_UPLOADS = [
    """
    CREATE TABLE dictionary_uploads (
        id uuid NOT NULL,
        kind text NOT NULL,
        file_name text,
        file_hash bytea NOT NULL,
        bytes bigint NOT NULL,
        dry_run boolean NOT NULL,
        subject text,
        counts jsonb NOT NULL,
        rejected integer NOT NULL,
        warned integer NOT NULL,
        by_id uuid NOT NULL,
        by_name text NOT NULL,
        at timestamptz NOT NULL,
        CONSTRAINT pk_dictionary_uploads PRIMARY KEY (id),
        CONSTRAINT ck_dictionary_uploads_kind CHECK (kind IN ('CODES', 'DICTIONARY')),
        CONSTRAINT ck_dictionary_uploads_file_hash CHECK (octet_length(file_hash) = 32)
    )""",
    """
    CREATE UNIQUE INDEX uq_dictionary_uploads_once ON dictionary_uploads (kind, file_hash) WHERE NOT dry_run""",
    """
    CREATE TABLE dictionary_upload_problems (
        upload_id uuid NOT NULL,
        place integer NOT NULL,
        severity text NOT NULL,
        row text NOT NULL,
        field text NOT NULL,
        code text NOT NULL,
        message text NOT NULL,
        CONSTRAINT pk_dictionary_upload_problems PRIMARY KEY (upload_id, place),
        CONSTRAINT fk_dictionary_upload_problems_upload_id FOREIGN KEY (upload_id) REFERENCES dictionary_uploads (id),
        CONSTRAINT ck_dictionary_upload_problems_severity CHECK (severity IN ('rejected', 'warning'))
    )""",
]

_REFERENCES = [
    """
    CREATE TABLE reference_dictionaries (
        id uuid NOT NULL,
        organization text NOT NULL,
        code text NOT NULL,
        version text NOT NULL,
        language text NOT NULL,
        name text NOT NULL,
        status text NOT NULL,
        licence text,
        licence_url text,
        release_date text,
        more_info_url text,
        quality text,
        system text NOT NULL,
        counts jsonb NOT NULL,
        file_hash bytea NOT NULL,
        imported_by uuid NOT NULL,
        imported_by_name text NOT NULL,
        imported_at timestamptz NOT NULL,
        CONSTRAINT pk_reference_dictionaries PRIMARY KEY (id),
        CONSTRAINT fk_reference_dictionaries_system FOREIGN KEY (system) REFERENCES code_systems (code),
        CONSTRAINT ck_reference_dictionaries_status CHECK (status IN ('Preview', 'Active', 'Inactive'))
    )""",
    """
    CREATE UNIQUE INDEX uq_reference_dictionaries_version ON reference_dictionaries (
        lower(organization), lower(code), version, lower(language)
    )""",
    """
    CREATE TABLE reference_classes (
        dictionary_id uuid NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        class_type text NOT NULL,
        definition text,
        parent_code text,
        related_ifc text[] NOT NULL,
        synonyms text[] NOT NULL,
        replaced_by text[] NOT NULL,
        status text NOT NULL,
        reference_code text,
        sort integer NOT NULL,
        CONSTRAINT pk_reference_classes PRIMARY KEY (dictionary_id, code),
        CONSTRAINT fk_reference_classes_dictionary_id FOREIGN KEY (dictionary_id) REFERENCES reference_dictionaries (id),
        CONSTRAINT fk_reference_classes_dictionary_id_parent_code FOREIGN KEY (dictionary_id, parent_code)
            REFERENCES reference_classes (dictionary_id, code),
        CONSTRAINT ck_reference_classes_code CHECK (char_length(code) BETWEEN 1 AND 100),
        CONSTRAINT ck_reference_classes_class_type CHECK (
            class_type IN ('Class', 'Material', 'GroupOfProperties', 'AlternativeUse')
        ),
        CONSTRAINT ck_reference_classes_status CHECK (status IN ('Active', 'Inactive')),
        CONSTRAINT ck_reference_classes_parent CHECK (parent_code <> code)
    )""",
    "CREATE UNIQUE INDEX uq_reference_classes_lower_code ON reference_classes (dictionary_id, lower(code))",
    "CREATE INDEX ix_reference_classes_dictionary_id_parent_code ON reference_classes (dictionary_id, parent_code)",
    "CREATE INDEX ix_reference_classes_related_ifc ON reference_classes USING gin (related_ifc)",
    """
    CREATE TABLE reference_properties (
        dictionary_id uuid NOT NULL,
        code text NOT NULL,
        name text NOT NULL,
        definition text,
        data_type text NOT NULL,
        value_kind text NOT NULL,
        units text[] NOT NULL,
        dimension text,
        physical_quantity text,
        minimum text,
        maximum text,
        pattern text,
        allowed jsonb NOT NULL,
        status text NOT NULL,
        sort integer NOT NULL,
        CONSTRAINT pk_reference_properties PRIMARY KEY (dictionary_id, code),
        CONSTRAINT fk_reference_properties_dictionary_id FOREIGN KEY (dictionary_id)
            REFERENCES reference_dictionaries (id),
        CONSTRAINT ck_reference_properties_code CHECK (char_length(code) BETWEEN 1 AND 100),
        CONSTRAINT ck_reference_properties_data_type CHECK (
            data_type IN ('Boolean', 'Character', 'Integer', 'Real', 'String', 'Time')
        ),
        CONSTRAINT ck_reference_properties_value_kind CHECK (
            value_kind IN ('Single', 'Range', 'List', 'Complex', 'ComplexList')
        )
    )""",
    "CREATE UNIQUE INDEX uq_reference_properties_lower_code ON reference_properties (dictionary_id, lower(code))",
    """
    CREATE TABLE reference_class_properties (
        dictionary_id uuid NOT NULL,
        class_code text NOT NULL,
        place integer NOT NULL,
        property_code text,
        property_uri text,
        property_set text,
        unit text,
        predefined_value text,
        required boolean,
        minimum text,
        maximum text,
        pattern text,
        allowed jsonb NOT NULL,
        CONSTRAINT pk_reference_class_properties PRIMARY KEY (dictionary_id, class_code, place),
        CONSTRAINT fk_reference_class_properties_dictionary_id_class_code FOREIGN KEY (dictionary_id, class_code)
            REFERENCES reference_classes (dictionary_id, code),
        CONSTRAINT fk_reference_class_properties_dictionary_id_property_code FOREIGN KEY (dictionary_id, property_code)
            REFERENCES reference_properties (dictionary_id, code),
        CONSTRAINT ck_reference_class_properties_property CHECK (num_nonnulls(property_code, property_uri) = 1)
    )""",
    """
    CREATE TABLE reference_class_relations (
        dictionary_id uuid NOT NULL,
        class_code text NOT NULL,
        place integer NOT NULL,
        relation_type text NOT NULL,
        related_uri text NOT NULL,
        related_name text,
        fraction numeric,
        CONSTRAINT pk_reference_class_relations PRIMARY KEY (dictionary_id, class_code, place),
        CONSTRAINT fk_reference_class_relations_dictionary_id_class_code FOREIGN KEY (dictionary_id, class_code)
            REFERENCES reference_classes (dictionary_id, code),
        CONSTRAINT ck_reference_class_relations_relation_type CHECK (
            relation_type IN (
                'HasMaterial', 'HasPart', 'IsPartOf', 'IsEqualTo', 'IsSimilarTo', 'IsParentOf', 'IsChildOf',
                'HasReference'
            )
        ),
        CONSTRAINT ck_reference_class_relations_fraction CHECK (fraction BETWEEN 0 AND 1)
    )""",
    """
    CREATE TABLE reference_links (
        dictionary_id uuid NOT NULL,
        class_code text NOT NULL,
        type_code text NOT NULL,
        decision text NOT NULL,
        relation text,
        via text,
        reason text,
        decided_by uuid NOT NULL,
        decided_by_name text NOT NULL,
        decided_at timestamptz NOT NULL,
        CONSTRAINT pk_reference_links PRIMARY KEY (dictionary_id, class_code, type_code),
        CONSTRAINT fk_reference_links_dictionary_id_class_code FOREIGN KEY (dictionary_id, class_code)
            REFERENCES reference_classes (dictionary_id, code),
        CONSTRAINT fk_reference_links_type_code FOREIGN KEY (type_code) REFERENCES component_types (code),
        CONSTRAINT ck_reference_links_decision CHECK (decision IN ('ACCEPTED', 'REJECTED')),
        CONSTRAINT ck_reference_links_accepted CHECK ((decision = 'ACCEPTED') = (relation IS NOT NULL)),
        CONSTRAINT ck_reference_links_relation CHECK (relation IN ('primary', 'also')),
        CONSTRAINT ck_reference_links_rejected CHECK (decision <> 'REJECTED' OR reason <> '')
    )""",
]

_APPEND_ONLY = (
    "dictionary_versions",
    "dictionary_changes",
    "type_proposal_events",
    "classification_code_events",
    "dictionary_uploads",
    "dictionary_upload_problems",
    "reference_dictionaries",
    "reference_classes",
    "reference_properties",
    "reference_class_properties",
    "reference_class_relations",
)
_APP_ONLY_READS = (
    "dictionary_versions",
    "dictionary_changes",
    "code_systems",
    "classification_code_events",
    "reference_dictionaries",
    "reference_classes",
    "reference_properties",
    "reference_class_properties",
    "reference_class_relations",
    "reference_links",
)
_OPERATORS_ONLY = ("type_proposals", "type_proposal_events", "dictionary_uploads", "dictionary_upload_problems")


def upgrade() -> None:
    statements = [
        *_TYPES,
        *_DICTIONARY,
        *_FIRST_VERSION,
        *_CODES,
        *_UPLOADS,
        *_REFERENCES,
        *(statement for table in _APPEND_ONLY for statement in append_only(table, service="catalog")),
        *(f"REVOKE INSERT, UPDATE, DELETE ON {table} FROM catalog_app" for table in _APP_ONLY_READS),
        *(f"REVOKE ALL ON {table} FROM catalog_app" for table in _OPERATORS_ONLY),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    message = "What was published, retired and reviewed cannot be taken back; restore a backup instead."
    raise NotImplementedError(message)
