(** * The power law [P(u) = P_idle + (P_max - P_idle) u^gamma] and its straight bounds

    Claim: [energy.sandwich]. *)

From Coq Require Import Reals Lra.
Open Scope R_scope.

(** [u^gamma] for [u >= 0], with [0^gamma = 0]. *)
Definition power_of (u gamma : R) : R := if Rle_dec u 0 then 0 else Rpower u gamma.

Record device := Device { P_idle : R; P_max : R; gamma : R }.

Definition valid (d : device) : Prop :=
  0 <= P_idle d <= P_max d /\ 0 < P_max d /\ 0 < gamma d <= 1.

Definition dynamic (d : device) : R := P_max d - P_idle d.

(** [D]: watts charged to a unit of imbalance. *)
Definition waste (d : device) : R := P_idle d + (1 - gamma d) * (P_max d - P_idle d).

Definition power (d : device) (u : R) : R := P_idle d + dynamic d * power_of u (gamma d).

(** The constants of the paper: 100 W, 400 W, exponent 0.7. *)
Definition a100 : device := Device 100 400 (7 / 10).

Lemma a100_valid : valid a100.
Proof. unfold valid; simpl; lra. Qed.

(** ** Powers *)

Lemma power_of_0 : forall g, power_of 0 g = 0.
Proof. intros. unfold power_of. destruct (Rle_dec 0 0); lra. Qed.

Lemma power_of_positive : forall u g, 0 < u -> power_of u g = Rpower u g.
Proof. intros. unfold power_of. destruct (Rle_dec u 0); lra. Qed.

Lemma power_of_nonnegative : forall u g, 0 <= power_of u g.
Proof.
  intros. unfold power_of. destruct (Rle_dec u 0); [lra|]. unfold Rpower.
  left. apply exp_pos.
Qed.

Lemma power_of_1 : forall g, power_of 1 g = 1.
Proof.
  intros. rewrite power_of_positive by lra. unfold Rpower. rewrite ln_1, Rmult_0_r. apply exp_0.
Qed.

Lemma power_of_gamma_1 : forall u, 0 <= u -> power_of u 1 = u.
Proof.
  intros u [H|<-]; [|apply power_of_0]. rewrite power_of_positive by lra. now apply Rpower_1.
Qed.

Lemma power_of_mult : forall m v g, 0 < m -> 0 <= v ->
  power_of (m * v) g = power_of m g * power_of v g.
Proof.
  intros m v g M [V|<-].
  - assert (0 < m * v) by now apply Rmult_lt_0_compat.
    rewrite !power_of_positive by assumption. symmetry. now apply Rpower_mult_distr.
  - rewrite Rmult_0_r, power_of_0. ring.
Qed.

Lemma ln_strict : forall z, 0 < z -> z <> 1 -> ln z < z - 1.
Proof.
  intros z P N. assert (ln z <> 0) by (intros E; apply N; apply ln_inv; [lra|lra|now rewrite ln_1]).
  pose proof (exp_ineq1 (ln z) H). rewrite exp_ln in H0; lra.
Qed.

Lemma ln_bound : forall z, 0 < z -> ln z <= z - 1.
Proof.
  intros z P. destruct (Req_dec z 1) as [->|N]; [rewrite ln_1; lra|].
  left. now apply ln_strict.
Qed.

(** ** [u <= u^gamma <= 1 - gamma (1 - u)] *)

(** The tangent at 1 lies above the power, everywhere. *)
Lemma below_tangent : forall u g, 0 <= u -> 0 < g <= 1 -> power_of u g <= 1 - g * (1 - u).
Proof.
  intros u g [U|<-] G; [|rewrite power_of_0; lra].
  rewrite power_of_positive by exact U. unfold Rpower. set (m := 1 - g * (1 - u)).
  assert (M : 0 < m) by (unfold m; nra).
  rewrite <- (exp_ln m M). destruct (Rle_lt_dec (g * ln u) (ln m)) as [H|H].
  - destruct H as [H|H]; [left; now apply exp_increasing|rewrite H; lra].
  - exfalso. assert (A : ln (u / m) <= u / m - 1) by (apply ln_bound, Rdiv_lt_0_compat; lra).
    assert (B : ln (1 / m) <= 1 / m - 1) by (apply ln_bound, Rdiv_lt_0_compat; lra).
    unfold Rdiv in A, B. rewrite ln_mult, ln_Rinv in A by (auto using Rinv_0_lt_compat).
    rewrite ln_mult, ln_Rinv, ln_1 in B by (auto using Rinv_0_lt_compat; lra).
    assert (E : g * (u * / m - 1) + (1 - g) * (1 * / m - 1) = 0).
    { replace (g * (u * / m - 1) + (1 - g) * (1 * / m - 1)) with (m * / m - 1)
        by (unfold m; ring). rewrite Rinv_r; lra. }
    nra.
Qed.

(** It touches at 1 alone, unless [gamma = 1]. *)
Lemma below_tangent_strictly : forall u g, 0 <= u -> 0 < g < 1 -> u <> 1 ->
  power_of u g < 1 - g * (1 - u).
Proof.
  intros u g U G N. destruct (below_tangent u g U) as [H|H]; [lra|exact H|]. exfalso.
  destruct U as [U|<-]; [|rewrite power_of_0 in H; lra].
  rewrite power_of_positive in H by exact U. set (m := 1 - g * (1 - u)) in *.
  assert (M : 0 < m) by (unfold m; nra).
  assert (L : g * ln u = ln m) by (rewrite <- H; unfold Rpower; now rewrite ln_exp).
  assert (A : ln (u / m) < u / m - 1).
  { apply ln_strict; [apply Rdiv_lt_0_compat; lra|]. intros E.
    assert (u = m) by (apply (Rmult_eq_reg_r (/ m)); [rewrite Rinv_r by lra; exact E|];
      apply Rgt_not_eq, Rinv_0_lt_compat, M).
    unfold m in H0. apply N. nra. }
  assert (B : ln (1 / m) <= 1 / m - 1) by (apply ln_bound, Rdiv_lt_0_compat; lra).
  unfold Rdiv in A, B. rewrite ln_mult, ln_Rinv in A by (auto using Rinv_0_lt_compat).
  rewrite ln_mult, ln_Rinv, ln_1 in B by (auto using Rinv_0_lt_compat; lra).
  assert (E : g * (u * / m - 1) + (1 - g) * (1 * / m - 1) = 0).
  { replace (g * (u * / m - 1) + (1 - g) * (1 * / m - 1)) with (m * / m - 1)
      by (unfold m; ring). rewrite Rinv_r; lra. }
  nra.
Qed.

Lemma above_identity : forall u g, 0 <= u <= 1 -> 0 < g <= 1 -> u <= power_of u g.
Proof.
  intros u g [[U|<-] H] G; [|rewrite power_of_0; lra].
  rewrite power_of_positive by exact U. unfold Rpower. rewrite <- (exp_ln u U) at 1.
  assert (L : ln u <= 0) by (pose proof (ln_bound u U); lra).
  assert (K : ln u <= g * ln u) by nra.
  destruct K as [K|K]; [left; now apply exp_increasing|rewrite <- K; lra].
Qed.
