// The part of podgen-kube(5) that is written by hand: variables of specs, in roff.

/** As lines of the page. */
export const VARIABLES: readonly string[] = [
  ".SH VARIABLES",
  "Off unless \\fB\\-\\-set\\fR, \\fB\\-\\-env\\-file\\fR or \\fB\\-\\-values\\fR is given (to \\fBapply\\fR, \\fBdiff\\fR, \\fBvalidate\\fR, \\fBgenerate\\fR, \\fBdelete\\fR, \\fBwatch\\fR). Then, in every text, number and key of a spec:",
  ".TP",
  ".B ${NAME}",
  "The value of NAME. One that has none is an error with its place.",
  ".TP",
  ".B ${NAME:\\-TEXT}, ${NAME:=TEXT}",
  "TEXT where NAME has no value or an empty one; without the colon, only where it has none.",
  ".TP",
  ".B ${NAME:?TEXT}",
  "An error that says TEXT where NAME has no value or an empty one; without the colon, only where it has none.",
  ".TP",
  ".B ${NAME:+TEXT}",
  "TEXT where NAME has a value that is not empty, else nothing; without the colon, where it has any.",
  ".TP",
  ".B $${",
  "The text ${ itself. $NAME and $(NAME) are left alone.",
  ".PP",
  "YAML is read first: a value can add no line and no field. Unquoted, it has the type that its text has (\\fIport: ${PORT}\\fR is a number, an empty value is a field that is not there); in quotes it is text.",
  ".PP",
  "\\fB\\-\\-set\\fR counts before \\fB\\-\\-env\\-file\\fR, that before \\fB\\-\\-values\\fR, the later of one kind before the earlier. An env file has NAME=VALUE lines: comments with #, \\(aqtext\\(aq as it stands, \\(dqtext\\(dq with \\en, \\et, \\er and \\e before any other character. A values file is a map in YAML; the names of maps in it are joined by dots: \\fIdb: {port: 5432}\\fR is ${db.port}.",
];
