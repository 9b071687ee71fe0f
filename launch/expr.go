package launch

// exprKind is what an expression of Cedar is.
type exprKind uint8

const (
	exprBool   exprKind = iota // true, false
	exprNumber                 // 3
	exprText                   // "text"
	exprEntity                 // name::"text"
	exprVar                    // principal, action, resource, context
	exprSet                    // [args]
	exprAccess                 // args[0].name
	exprCall                   // args[0].name(args[1:])
	exprUnary                  // name args[0]: !
	exprBinary                 // args[0] name args[1]: && || == != < <= > >= in
	exprHas                    // args[0] has name
	exprLike                   // args[0] like text
	exprIs                     // args[0] is name
	exprIf                     // if args[0] then args[1] else args[2]
)

// expr is an expression as written.
type expr struct {
	kind   exprKind
	at     Position
	name   string
	text   string
	number int64
	truth  bool
	args   []*expr
}

// parsedRule is a rule as written. Its condition is the conjunction of its parts.
type parsedRule struct {
	at          Position
	in          *namespace
	id          string
	idAt, logAt Position // of @id and @log; Line 0: none
	forbid      bool
	scopes      [3]*expr // of principal, action and resource; nil: any
	conditions  []*expr
}

// name is the rule's @id, or where it starts.
func (p *parsedRule) name() string {
	if p.id != "" {
		return p.id
	}
	return "rule of line " + itoa(p.at.Line)
}
