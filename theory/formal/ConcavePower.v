(** * What a waiting worker's power guarantees, for every concave power law

    A worker at utilisation [u] draws [p u] watts; [p] is concave on (0, 1], tends to [P_w] as [u]
    falls to 0, and is [P_max] at 1.  No overhead.

    Claim: [energy.any-power-floor]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving AnyPower.
Import ListNotations.
Open Scope R_scope.

Definition concave (p : R -> R) : Prop := forall u v t,
  0 < u <= 1 -> 0 < v <= 1 -> 0 <= t <= 1 -> t * p u + (1 - t) * p v <= p (t * u + (1 - t) * v).

Definition starts_at (p : R -> R) (w : R) : Prop := forall eps, 0 < eps ->
  exists d, 0 < d /\ forall v, 0 < v < d -> v <= 1 -> Rabs (p v - w) < eps.

(** Every worker has work in every step. *)
Definition never_empty (r : run) : Prop := Forall (fun x => 0 < snd x) (cells 0 r).

(** The law lies on or above the line from [P_w] to [P_max]. *)
Lemma above_the_line : forall p w u, concave p -> starts_at p w -> 0 < u <= 1 ->
  w + (p 1 - w) * u <= p u.
Proof.
  intros p w u C S U. destruct (Rle_or_lt (w + (p 1 - w) * u) (p u)) as [H|H]; [exact H|].
  exfalso. set (g := w + (p 1 - w) * u - p u). assert (G : 0 < g) by (unfold g; lra).
  set (a := Rabs (p 1 - w)). assert (A : 0 <= a) by apply Rabs_pos.
  destruct (S (g / 3) ltac:(lra)) as (d & D & near).
  set (m := Rmin (Rmin d u) (Rmin (1 / 2) (g / (6 * (a + 1))))).
  assert (Q : 0 < g / (6 * (a + 1))) by (apply Rdiv_lt_0_compat; lra).
  assert (M : 0 < m) by (unfold m; repeat apply Rmin_pos; lra).
  assert (Md : m <= d) by (unfold m; eapply Rle_trans; [apply Rmin_l|apply Rmin_l]).
  assert (Mu : m <= u) by (unfold m; eapply Rle_trans; [apply Rmin_l|apply Rmin_r]).
  assert (Mh : m <= 1 / 2) by (unfold m; eapply Rle_trans; [apply Rmin_r|apply Rmin_l]).
  assert (Mg : m <= g / (6 * (a + 1))) by (unfold m; eapply Rle_trans; [apply Rmin_r|apply Rmin_r]).
  set (v := m / 2). assert (V : 0 < v < d) by (unfold v; lra).
  specialize (near v V ltac:(unfold v; lra)). apply Rabs_def2 in near.
  set (t := (1 - u) / (1 - v)).
  assert (v1 : 0 < 1 - v) by (unfold v; lra).
  assert (i : 0 < / (1 - v)) by now apply Rinv_0_lt_compat.
  assert (E : t * (1 - v) = 1 - u) by (unfold t; field; lra).
  assert (T : 0 <= t <= 1).
  { split; [unfold t, Rdiv; nra|]. apply Rmult_le_reg_r with (1 - v); [lra|]. rewrite E.
    unfold v. lra. }
  pose proof (C v 1 t ltac:(unfold v; lra) ltac:(lra) T) as K.
  replace (t * v + (1 - t) * 1) with u in K by lra.
  (* t is nearly 1 - u: off by t v, at most 1 / (12 (a + 1)) of g. *)
  assert (L : t * v * a <= g / 6).
  { assert (v * (6 * (a + 1)) <= g).
    { apply Rle_trans with (g / (6 * (a + 1)) * (6 * (a + 1))); [|right; field; lra].
      apply Rmult_le_compat_r; [lra|]. unfold v. lra. }
    assert (0 <= v) by lra. nra. }
  assert (B : - a <= p 1 - w <= a).
  { unfold a. split; [|apply Rle_abs]. pose proof (Rle_abs (- (p 1 - w))) as N.
    rewrite Rabs_Ropp in N. lra. }
  assert (F : (p 1 - w) * (t * v) <= t * v * a /\ - (t * v * a) <= (p 1 - w) * (t * v)).
  { assert (0 <= t * v) by nra. split; nra. }
  assert (J : t * (p v - w) >= - (g / 3)) by nra.
  unfold g in *. nra.
Qed.

Lemma balanced_energy : forall p r, loaded r -> imbalances r = 0 ->
  energy_by p r = p 1 * work r.
Proof.
  intros p r L Z. pose proof (cells_sound 0 r (Rle_refl 0) L) as S.
  destruct (usage_without_overhead r L) as (U & I & _ & _). rewrite Z in I.
  unfold idle in I. apply over_zero in I.
  2: { eapply Forall_impl; [|exact S]. intros [x u]. simpl. intros [A B]. nra. }
  rewrite <- U. unfold energy_by, busy.
  replace (p 1 * over (fun x => fst x * snd x) (cells 0 r))
    with (over (fun x => p 1 * (fst x * snd x) + 0 * fst x) (cells 0 r))
    by (rewrite over_linear; ring).
  apply over_ext. eapply Forall_impl; [|exact I]. intros [x u]. simpl. intros E.
  apply Rmult_integral in E. destruct E as [->|E]; [ring|].
  replace u with 1 by lra. ring.
Qed.

(** The sharp floor at perfect balance, whatever the law between; the straight law attains it. *)
Theorem energy_any_power_floor :
  (forall p w r0 r1 W, 0 <= w -> 0 < p 1 -> concave p -> starts_at p w ->
     w <= p 0 \/ never_empty r0 -> pair_of_runs r0 r1 W -> imbalances r1 = 0 ->
     let f := imbalances r0 / (W + imbalances r0) in
     f * w / (p 1 * (1 - f) + w * f) <= saving_by p r0 r1) /\
  (forall M w r0 r1 W, 0 <= w -> 0 < M -> pair_of_runs r0 r1 W -> imbalances r1 = 0 ->
     let f := imbalances r0 / (W + imbalances r0) in
     saving_by (fun u => w + (M - w) * u) r0 r1 = f * w / (M * (1 - f) + w * f)).
Proof.
  assert (line : forall M w r W, loaded r -> work r = W ->
    over (fun x => fst x * (w + (M - w) * snd x)) (cells 0 r) = M * W + w * imbalances r).
  { intros M w r W L E. destruct (usage_without_overhead r L) as (U & I & _ & _).
    rewrite <- E, <- U, <- I. unfold busy, idle.
    rewrite <- over_linear. apply over_ext. apply Forall_forall. intros [x u] _. simpl. ring. }
  assert (form : forall M w I W, 0 < M -> 0 <= w -> 0 <= I -> 0 < W ->
    let f := I / (W + I) in f * w / (M * (1 - f) + w * f) = 1 - M * W / (M * W + w * I)).
  { intros M w I W m w0 i p. simpl. pose proof (Rmult_lt_0_compat _ _ m p).
    pose proof (Rmult_le_pos _ _ w0 i). field. repeat split; lra. }
  split.
  - intros p w r0 r1 W w0 m C S H (L0 & L1 & W0 & W1 & W') Z.
    destruct (usage_without_overhead r0 L0) as (_ & _ & _ & I0).
    cbv zeta. rewrite form by assumption. unfold saving_by. rewrite (balanced_energy p r1 L1 Z), W1.
    assert (B : p 1 * W + w * imbalances r0 <= energy_by p r0).
    { rewrite <- (line (p 1) w r0 W L0 W0). unfold energy_by. apply over_le.
      pose proof (cells_sound 0 r0 (Rle_refl 0) L0) as D. unfold sound in D.
      rewrite Forall_forall in D. apply Forall_forall. intros [x u] I. specialize (D _ I).
      simpl in *. destruct D as [X U]. apply Rmult_le_compat_l; [exact X|].
      destruct (Req_dec u 0) as [->|N]; [|apply above_the_line; lra || assumption].
      destruct H as [H|H]; [lra|]. unfold never_empty in H. rewrite Forall_forall in H.
      specialize (H _ I). simpl in H. lra. }
    pose proof (Rmult_lt_0_compat _ _ m W'). pose proof (Rmult_le_pos _ _ w0 I0).
    assert (p 1 * W / energy_by p r0 <= p 1 * W / (p 1 * W + w * imbalances r0)); [|lra].
    apply quotient_bounds; lra.
  - intros M w r0 r1 W w0 m (L0 & L1 & W0 & W1 & W') Z.
    destruct (usage_without_overhead r0 L0) as (_ & _ & _ & I0).
    cbv zeta. rewrite form by assumption. unfold saving_by, energy_by.
    rewrite (line M w r0 W L0 W0), (line M w r1 W L1 W1), Z. f_equal. f_equal. ring.
Qed.
