# The three checks of the bench.
package bench

allowed_origins := {"official", "verified"}

min_cert_level := 2

min_score := 70

# The score that a certification level itself requires.
required := [0, 60, 80, 90]

origin := lower(trim_space(input.origin))

origin_is_known if {
	is_string(input.origin)
	origin != ""
}

level_is_known if is_number(input.cert_level)

score_is_known if is_number(input.score)

violations contains "origin-unknown" if not origin_is_known

violations contains "origin-not-allowed" if {
	origin_is_known
	not origin in allowed_origins
}

violations contains "cert-level-unknown" if not level_is_known

violations contains "cert-level-below-minimum" if {
	level_is_known
	input.cert_level < min_cert_level
}

violations contains "cert-score-mismatch" if {
	level_is_known
	score_is_known
	input.score < required[input.cert_level]
}

violations contains "score-unknown" if not score_is_known

violations contains "score-below-minimum" if {
	score_is_known
	input.score < min_score
}
