(** * First come, first served in expectation: a lower bound for every [G] and [B]

    Sizes are independent draws from a law with finitely many values.  A worker's load is the sum
    of [B] draws, the [G] loads are independent, and the imbalance is [G max - sum].  Two workers
    are enough for a bound: [E max >= E max(L_1, L_2) = E L + E|L_1 - L_2| / 2], and the moments of
    [L_1 - L_2] bound its absolute mean from below.

    Claims: [fcfs.pairing], [fcfs.exact], [fcfs.lower]. *)

From Coq Require Import Reals Lra Lia List.
From evenkeel Require Import Energy.
Import ListNotations.
Open Scope R_scope.

(** A law: its values with their probabilities. *)
Definition law : Type := list (R * R).

Definition is_law (X : law) : Prop :=
  Forall (fun x => 0 <= fst x /\ 0 <= snd x) X /\ sum (map fst X) = 1.

(** Expectation of [f] of a draw. *)
Definition E (f : R -> R) (X : law) : R := over (fun x => fst x * f (snd x)) X.

(** Sum of a draw of [X] and an independent draw of [Y]; load of a worker with [B] slots. *)
Definition plus (X Y : law) : law :=
  flat_map (fun x => map (fun y => (fst x * fst y, snd x + snd y)) Y) X.

Fixpoint load_law (B : nat) (X : law) : law :=
  match B with O => [(1, 0)] | S n => plus X (load_law n X) end.

(** Expectation of [f] of the loads of [G] independent workers. *)
Fixpoint E_workers (G : nat) (L : law) (f : list R -> R) : R :=
  match G with
  | O => f []
  | S n => E (fun x => E_workers n L (fun xs => f (x :: xs))) L
  end.

Definition imbalance (loads : list R) : R := INR (length loads) * top loads - sum loads.

Definition mean (X : law) : R := E (fun x => x) X.
Definition moment (k : nat) (X : law) : R := E (fun x => (x - mean X) ^ k) X.

(** [E|L_1 - L_2|] of two independent draws. *)
Definition mean_distance (L : law) : R := E (fun x => E (fun y => Rabs (x - y)) L) L.

(** [E (L_1 - L_2)^2] and [E (L_1 - L_2)^4] from the variance [v] and the fourth moment [m4] of
    one draw. *)
Definition second (B v : R) : R := 2 * B * v.
Definition fourth (B v m4 : R) : R := B * (2 * m4 + 6 * (v * v)) + 12 * B * (B - 1) * (v * v).

(** ** Expectations *)

Lemma E_ext : forall f g X, (forall x, f x = g x) -> E f X = E g X.
Proof. intros. apply over_ext, Forall_forall. intros [p x] _. simpl. now rewrite H. Qed.

Lemma E_le : forall f g X, is_law X -> (forall x, f x <= g x) -> E f X <= E g X.
Proof.
  intros f g X [F _] H. apply over_le. eapply Forall_impl; [|exact F].
  intros [p x]. simpl. intros [P _]. apply Rmult_le_compat_l; auto.
Qed.

Lemma E_linear : forall a b f g X, E (fun x => a * f x + b * g x) X = a * E f X + b * E g X.
Proof.
  intros. unfold E. rewrite <- over_linear. apply over_ext, Forall_forall.
  intros [p x] _. simpl. ring.
Qed.

Lemma E_constant : forall c X, is_law X -> E (fun _ => c) X = c.
Proof.
  intros c X [_ S]. transitivity (c * sum (map fst X)); [|rewrite S; ring].
  clear S. unfold E, over. induction X; simpl; [ring|]. rewrite IHX. unfold sum. ring.
Qed.

Lemma E_affine : forall a b f X, is_law X -> E (fun x => a * f x + b) X = a * E f X + b.
Proof.
  intros a b f X L. rewrite (E_ext _ (fun x => a * f x + b * (fun _ => 1) x)) by (intros; ring).
  rewrite E_linear, E_constant by exact L. ring.
Qed.

Lemma over_scaled : forall c (f : R * R -> R) xs, over (fun x => c * f x) xs = c * over f xs.
Proof. unfold over. induction xs; simpl; [ring|]. rewrite IHxs. unfold sum. ring. Qed.

Lemma E_plus : forall f X Y, E f (plus X Y) = E (fun x => E (fun y => f (x + y)) Y) X.
Proof.
  intros f X Y. unfold E, plus. induction X as [|[p x] X IH]; [reflexivity|].
  simpl flat_map. rewrite over_app, IH, over_cons. f_equal. simpl.
  rewrite <- over_scaled. unfold over. rewrite map_map. f_equal. apply map_ext. intros [q y].
  simpl. ring.
Qed.

Lemma plus_is_law : forall X Y, is_law X -> is_law Y -> is_law (plus X Y).
Proof.
  intros X Y LX LY. split.
  - unfold plus. apply Forall_flat_map. destruct LX as [FX _], LY as [FY _].
    eapply Forall_impl; [|exact FX]. intros [p x] [P Q]. apply Forall_map.
    eapply Forall_impl; [|exact FY]. intros [q y] [P' Q']. simpl in *. split; [nra|lra].
  - assert (H : forall Z, sum (map fst Z) = E (fun _ => 1) Z).
    { intros Z. unfold E, over. f_equal. apply map_ext. intros. ring. }
    rewrite H, E_plus. rewrite (E_ext _ (fun _ => 1)); [now apply E_constant|].
    intros. now apply E_constant.
Qed.

Lemma load_is_law : forall B X, is_law X -> is_law (load_law B X).
Proof.
  induction B; intros X L; simpl; [|now apply plus_is_law; auto].
  split; [repeat constructor; simpl; lra|simpl; lra].
Qed.

(** A polynomial of degree 4 around any centre. *)
Lemma E_polynomial : forall c a0 a1 a2 a3 a4 X, is_law X ->
  E (fun x => a0 + a1 * (x - c) + a2 * (x - c) ^ 2 + a3 * (x - c) ^ 3 + a4 * (x - c) ^ 4) X
  = a0 + a1 * E (fun x => x - c) X + a2 * E (fun x => (x - c) ^ 2) X
    + a3 * E (fun x => (x - c) ^ 3) X + a4 * E (fun x => (x - c) ^ 4) X.
Proof.
  intros c a0 a1 a2 a3 a4 X L.
  set (g3 := fun x => a4 * (x - c) ^ 4 + a0).
  set (g2 := fun x => a3 * (x - c) ^ 3 + 1 * g3 x).
  set (g1 := fun x => a2 * (x - c) ^ 2 + 1 * g2 x).
  rewrite (E_ext _ (fun x => a1 * (x - c) + 1 * g1 x)) by (intros; unfold g1, g2, g3; ring).
  rewrite (E_linear a1 1 (fun x => x - c) g1). unfold g1.
  rewrite (E_linear a2 1 (fun x => (x - c) ^ 2) g2). unfold g2.
  rewrite (E_linear a3 1 (fun x => (x - c) ^ 3) g3). unfold g3.
  rewrite (E_affine a4 a0 (fun x => (x - c) ^ 4)) by exact L. ring.
Qed.

(** ** Moments of a load *)

Lemma moments_of_load : forall X, is_law X -> forall B,
  let L := load_law B X in let c := INR B * mean X in
  E (fun x => x - c) L = 0 /\
  E (fun x => (x - c) ^ 2) L = INR B * moment 2 X /\
  E (fun x => (x - c) ^ 4) L
    = INR B * moment 4 X + 3 * INR B * (INR B - 1) * (moment 2 X * moment 2 X).
Proof.
  intros X LX. set (m := mean X).
  assert (Z : E (fun x => x - m) X = 0).
  { rewrite (E_ext _ (fun x => 1 * x + - m)) by (intros; ring).
    rewrite E_affine by exact LX. fold (mean X). unfold m. ring. }
  induction B as [|B IH]; cbv zeta.
  - unfold E, over. simpl. lra.
  - destruct IH as (M1 & M2 & M4). set (L := load_law B X) in *. set (c := INR B * m) in *.
    assert (LL : is_law L) by now apply load_is_law.
    assert (C : INR (S B) * m = m + c) by (rewrite S_INR; unfold c; ring).
    change (load_law (S B) X) with (plus X L). rewrite C, !E_plus.
    split; [|split].
    + rewrite (E_ext _ (fun x => 1 * (x - m) + 0)).
      * rewrite E_affine, Z by exact LX. ring.
      * intros x. rewrite (E_ext _ (fun y => 1 * (y - c) + (x - m))) by (intros; ring).
        rewrite E_affine, M1 by exact LL. ring.
    + rewrite (E_ext _ (fun x => E (fun x => (x - c) ^ 2) L + 0 * (x - m) + 1 * (x - m) ^ 2
        + 0 * (x - m) ^ 3 + 0 * (x - m) ^ 4)).
      * rewrite E_polynomial by exact LX. rewrite M2, S_INR. unfold moment. fold m. ring.
      * intros x. rewrite (E_ext _ (fun y => (x - m) ^ 2 + (2 * (x - m)) * (y - c) + 1 * (y - c) ^ 2
          + 0 * (y - c) ^ 3 + 0 * (y - c) ^ 4)) by (intros; ring).
        rewrite E_polynomial, M1 by exact LL. ring.
    + rewrite (E_ext _ (fun x => E (fun x => (x - c) ^ 4) L
        + (4 * E (fun x => (x - c) ^ 3) L) * (x - m)
        + (6 * E (fun x => (x - c) ^ 2) L) * (x - m) ^ 2 + 0 * (x - m) ^ 3 + 1 * (x - m) ^ 4)).
      * rewrite E_polynomial by exact LX. rewrite M4, M2, Z, S_INR. unfold moment. fold m. ring.
      * intros x. rewrite (E_ext _ (fun y => (x - m) ^ 4 + (4 * (x - m) ^ 3) * (y - c)
          + (6 * (x - m) ^ 2) * (y - c) ^ 2 + (4 * (x - m)) * (y - c) ^ 3 + 1 * (y - c) ^ 4))
          by (intros; ring).
        rewrite E_polynomial, M1 by exact LL. ring.
Qed.

(** ** Two workers *)

Definition E_difference (f : R -> R) (L : law) : R := E (fun x => E (fun y => f (x - y)) L) L.

Lemma moments_of_difference : forall X B, is_law X ->
  E_difference (fun d => d ^ 2) (load_law B X) = second (INR B) (moment 2 X) /\
  E_difference (fun d => d ^ 4) (load_law B X) = fourth (INR B) (moment 2 X) (moment 4 X).
Proof.
  intros X B LX. destruct (moments_of_load X LX B) as (M1 & M2 & M4). cbv zeta in *.
  set (L := load_law B X) in *. set (c := INR B * mean X) in *.
  assert (LL : is_law L) by now apply load_is_law. unfold E_difference. split.
  - rewrite (E_ext _ (fun x => E (fun x => (x - c) ^ 2) L + 0 * (x - c) + 1 * (x - c) ^ 2
        + 0 * (x - c) ^ 3 + 0 * (x - c) ^ 4)).
    + rewrite E_polynomial by exact LL. rewrite M2. unfold second. ring.
    + intros x. rewrite (E_ext _ (fun y => (x - c) ^ 2 + (-2 * (x - c)) * (y - c) + 1 * (y - c) ^ 2
          + 0 * (y - c) ^ 3 + 0 * (y - c) ^ 4)) by (intros; ring).
      rewrite E_polynomial, M1 by exact LL. ring.
  - rewrite (E_ext _ (fun x => E (fun x => (x - c) ^ 4) L
        + (-4 * E (fun x => (x - c) ^ 3) L) * (x - c)
        + (6 * E (fun x => (x - c) ^ 2) L) * (x - c) ^ 2 + 0 * (x - c) ^ 3 + 1 * (x - c) ^ 4)).
    + rewrite E_polynomial by exact LL. rewrite M4, M2, M1. unfold fourth. ring.
    + intros x. rewrite (E_ext _ (fun y => (x - c) ^ 4 + (-4 * (x - c) ^ 3) * (y - c)
          + (6 * (x - c) ^ 2) * (y - c) ^ 2 + (-4 * (x - c)) * (y - c) ^ 3 + 1 * (y - c) ^ 4))
          by (intros; ring).
      rewrite E_polynomial, M1 by exact LL. ring.
Qed.

(** Hoelder's inequality in the form [E|d| >= (E d^2)^(3/2) / (E d^4)^(1/2)], from
    [x^4 + 2 x >= 3 x^2]. *)
Lemma absolute_mean : forall L, is_law L -> 0 < E_difference (fun d => d ^ 4) L ->
  E_difference (fun d => d ^ 2) L
    * sqrt (E_difference (fun d => d ^ 2) L / E_difference (fun d => d ^ 4) L)
  <= mean_distance L.
Proof.
  intros L LL P. set (m2 := E_difference (fun d => d ^ 2) L).
  set (m4 := E_difference (fun d => d ^ 4) L) in *. set (m1 := mean_distance L).
  assert (Q : 0 <= m2).
  { unfold m2, E_difference. rewrite <- (E_constant 0 L LL) at 1. apply E_le; [exact LL|].
    intros x. rewrite <- (E_constant 0 L LL) at 1. apply E_le; [exact LL|].
    intros y. apply pow2_ge_0. }
  assert (K : forall t, 0 <= t -> 3 * t ^ 2 * m2 <= t ^ 4 * m4 + 2 * t * m1).
  { intros t T. unfold m1, m2, m4, mean_distance, E_difference.
    rewrite <- E_linear.
    rewrite <- (Rplus_0_r (3 * t ^ 2 * _)), <- E_affine by exact LL.
    apply E_le; [exact LL|]. intros x. rewrite <- E_linear, Rplus_0_r.
    rewrite <- (Rplus_0_r (3 * t ^ 2 * _)), <- E_affine by exact LL.
    apply E_le; [exact LL|]. intros y. set (d := x - y).
    assert (A : d ^ 2 = Rabs d ^ 2) by (rewrite <- !Rsqr_pow2; apply Rsqr_abs).
    assert (B : d ^ 4 = Rabs d ^ 4) by (replace (d ^ 4) with ((d ^ 2) ^ 2) by ring; rewrite A; ring).
    rewrite A, B. pose proof (Rabs_pos d) as C. set (z := t * Rabs d).
    assert (Z : 0 <= z) by (unfold z; now apply Rmult_le_pos).
    assert (H : 0 <= z * ((z - 1) ^ 2 * (z + 2))).
    { apply Rmult_le_pos; [exact Z|]. apply Rmult_le_pos; [apply pow2_ge_0|lra]. }
    replace (3 * t ^ 2 * Rabs d ^ 2 + 0) with (3 * z ^ 2) by (unfold z; ring).
    replace (t ^ 4 * Rabs d ^ 4 + 2 * t * Rabs d) with (z ^ 4 + 2 * z) by (unfold z; ring). nra. }
  set (t := sqrt (m2 / m4)).
  assert (R0 : 0 <= m2 / m4).
  { unfold Rdiv. apply Rmult_le_pos; [exact Q|]. left. now apply Rinv_0_lt_compat. }
  assert (T2 : t ^ 2 = m2 / m4) by (unfold t; rewrite <- Rsqr_pow2; now apply Rsqr_sqrt).
  assert (T : 0 <= t) by apply sqrt_pos.
  specialize (K t T).
  replace (t ^ 4 * m4) with (t ^ 2 * m2) in K.
  - destruct T as [T|T]; [|rewrite <- T, Rmult_0_r].
    + apply (Rmult_le_reg_l (2 * t)); [lra|]. nra.
    + unfold m1, mean_distance. rewrite <- (E_constant 0 L LL) at 1. apply E_le; [exact LL|].
      intros x. rewrite <- (E_constant 0 L LL) at 1. apply E_le; [exact LL|].
      intros y. apply Rabs_pos.
  - replace (t ^ 4) with (t ^ 2 * t ^ 2) by ring. rewrite T2. field. lra.
Qed.

(** ** Many workers *)

Lemma E_workers_le : forall G L f g, is_law L -> (forall xs, length xs = G -> f xs <= g xs) ->
  E_workers G L f <= E_workers G L g.
Proof.
  induction G; intros L f g LL H; simpl; [now apply H|].
  apply E_le; [exact LL|]. intros x. apply IHG; [exact LL|].
  intros xs E. apply H. simpl. now rewrite E.
Qed.

Lemma E_workers_sum : forall G L a b, is_law L ->
  E_workers G L (fun xs => a - b * sum xs) = a - b * (INR G * mean L).
Proof.
  induction G; intros L a b LL; [unfold sum; simpl; ring|].
  change (E_workers (S G) L (fun xs => a - b * sum xs))
    with (E (fun x => E_workers G L (fun xs => a - b * sum (x :: xs))) L).
  rewrite (E_ext _ (fun x => - b * x + (a - b * (INR G * mean L)))).
  - rewrite E_affine by exact LL. fold (mean L). rewrite S_INR. ring.
  - intros x. assert (X : E_workers G L (fun xs => a - b * sum (x :: xs))
      = E_workers G L (fun xs => (a - b * x) - b * sum xs)).
    { apply Rle_antisym; apply E_workers_le; auto; intros xs _;
        change (sum (x :: xs)) with (x + sum xs); lra. }
    rewrite X, IHG by exact LL. ring.
Qed.

Lemma pairing : forall G L, (2 <= G)%nat -> is_law L ->
  INR G / 2 * mean_distance L <= E_workers G L imbalance.
Proof.
  intros [|[|n]] L H LL; try lia. set (g := INR (S (S n))).
  apply Rle_trans with (E_workers (S (S n)) L (fun xs =>
    match xs with
    | x :: y :: _ => (g * ((x + y) / 2 + Rabs (x - y) / 2)) - 1 * sum xs
    | _ => 0
    end)).
  - right. symmetry.
    match goal with |- E_workers (S (S n)) L ?f = _ => change (E_workers (S (S n)) L f)
      with (E (fun x => E (fun y => E_workers n L (fun xs =>
        g * ((x + y) / 2 + Rabs (x - y) / 2) - 1 * sum (x :: y :: xs))) L) L) end.
    rewrite (E_ext _ (fun x => E (fun y =>
      (g / 2 - 1) * x + ((g / 2 - 1) * y + (g / 2 * Rabs (x - y) - INR n * mean L))) L)).
    + rewrite (E_ext _ (fun x => 1 * ((g / 2 - 1) * x + ((g / 2 - 1) * mean L - INR n * mean L))
        + g / 2 * E (fun y => Rabs (x - y)) L)).
      * rewrite E_linear, E_affine by exact LL. fold (mean L). unfold mean_distance.
        unfold g. rewrite !S_INR. field.
      * intros x. rewrite (E_ext _ (fun y => 1 * ((g / 2 - 1) * y + ((g / 2 - 1) * x - INR n * mean L))
          + g / 2 * Rabs (x - y))) by (intros; ring).
        rewrite E_linear, E_affine by exact LL. fold (mean L). ring.
    + intros x. apply E_ext. intros y.
      assert (X : E_workers n L (fun xs =>
          g * ((x + y) / 2 + Rabs (x - y) / 2) - 1 * sum (x :: y :: xs))
        = E_workers n L (fun xs => (g * ((x + y) / 2 + Rabs (x - y) / 2) - x - y) - 1 * sum xs)).
      { apply Rle_antisym; apply E_workers_le; auto; intros xs _;
          change (sum (x :: y :: xs)) with (x + (y + sum xs)); lra. }
      rewrite X, E_workers_sum by exact LL. field.
  - apply E_workers_le; [exact LL|]. intros xs N. unfold imbalance. rewrite N. fold g.
    destruct xs as [|x [|y xs]]; simpl in N; try lia.
    assert (A : x <= top (x :: y :: xs)) by (apply top_above; simpl; tauto).
    assert (B : y <= top (x :: y :: xs)) by (apply top_above; simpl; tauto).
    set (t := top (x :: y :: xs)) in *.
    assert (C : (x + y) / 2 + Rabs (x - y) / 2 <= t).
    { unfold Rabs. destruct (Rcase_abs (x - y)); lra. }
    apply (Rmult_le_compat_l g) in C; [|apply pos_INR]. lra.
Qed.

(** ** [fcfs.pairing] *)

(** The square of the bound, over [B]: it tends to [v / 6] (times [G^2]). *)
Lemma bound_tends : forall v m4 eps, 0 < v -> 0 <= m4 -> 0 < eps ->
  exists N : nat, forall B : nat, (N <= B)%nat ->
    Rabs (second (INR B) v ^ 3 / fourth (INR B) v m4 / INR B - 2 * v / 3) < eps.
Proof.
  intros v m4 eps V M e. set (k := Rabs (6 * (v * v) - 2 * m4)).
  assert (W : 0 < v * v) by now apply Rmult_lt_0_compat.
  assert (K : 0 <= k) by apply Rabs_pos.
  destruct (unbounded (k / (9 * v * eps))) as [N HN]. exists (S N). intros B HB.
  apply le_INR in HB. rewrite S_INR in HB. pose proof (pos_INR N) as N0.
  set (b := INR B) in *. assert (b1 : 1 <= b) by lra.
  set (q := 12 * b * (v * v) + 2 * m4 - 6 * (v * v)).
  assert (Q : 6 * (b * (v * v)) <= q) by (unfold q; nra).
  assert (BW : 0 < b * (v * v)) by (apply Rmult_lt_0_compat; lra).
  assert (E1 : second b v ^ 3 / fourth b v m4 / b - 2 * v / 3
    = 2 * v / 3 * ((6 * (v * v) - 2 * m4) / q)).
  { assert (F : fourth b v m4 = b * q) by (unfold fourth, q; ring). rewrite F. unfold second.
    unfold q. field. split; [unfold q in Q; lra|lra]. }
  rewrite E1, Rabs_mult, (Rabs_right (2 * v / 3)) by lra. unfold Rdiv at 2.
  rewrite Rabs_mult, (Rabs_right (/ q)) by (left; apply Rinv_0_lt_compat; lra). fold k.
  apply Rle_lt_trans with (2 * v / 3 * (k * / (6 * (b * (v * v))))).
  - apply Rmult_le_compat_l; [lra|]. apply Rmult_le_compat_l; [exact K|].
    apply Rinv_le_contravar; lra.
  - replace (2 * v / 3 * (k * / (6 * (b * (v * v))))) with (k / (9 * v) / b)
      by (field; split; lra).
    apply (Rmult_lt_reg_r b); [lra|]. unfold Rdiv at 1. rewrite Rmult_assoc, Rinv_l by lra.
    rewrite Rmult_1_r. assert (ve : 0 < 9 * v * eps) by (apply Rmult_lt_0_compat; lra).
    apply (Rmult_lt_compat_r eps) in HN; [|exact e].
    replace (k / (9 * v * eps) * eps) with (k / (9 * v)) in HN by (field; lra). nra.
Qed.

(** For every law, [G >= 2] and [B >= 1]: the expected imbalance is at least
    [(G/2) E|L_1 - L_2| >= (G/2) (2 B v)^(3/2) / (B (2 m4 + 6 v^2) + 12 B (B - 1) v^2)^(1/2)],
    which grows like [G (v B / 6)^(1/2)]: its square over [B] tends to [G^2 v / 6]. *)
Theorem fcfs_pairing : forall G X, (2 <= G)%nat -> is_law X ->
  let v := moment 2 X in let m4 := moment 4 X in 0 < v ->
  (forall B, (1 <= B)%nat ->
     let L := load_law B X in let d2 := second (INR B) v in let d4 := fourth (INR B) v m4 in
     INR G / 2 * (d2 * sqrt (d2 / d4)) <= INR G / 2 * mean_distance L /\
     INR G / 2 * mean_distance L <= E_workers G L imbalance /\
     (INR G / 2 * (d2 * sqrt (d2 / d4))) ^ 2 = INR G ^ 2 / 4 * (d2 ^ 3 / d4)) /\
  (forall eps, 0 < eps -> exists N : nat, forall B : nat, (N <= B)%nat ->
     Rabs (second (INR B) v ^ 3 / fourth (INR B) v m4 / INR B - 2 * v / 3) < eps).
Proof.
  intros G X g LX v m4 V.
  assert (M : 0 <= m4).
  { unfold m4, moment. rewrite <- (E_constant 0 X LX) at 1. apply E_le; [exact LX|].
    intros x. replace ((x - mean X) ^ 4) with (((x - mean X) ^ 2) ^ 2) by ring.
    apply pow2_ge_0. }
  split; [|intros; now apply bound_tends].
  intros B b L d2 d4. assert (LL : is_law L) by now apply load_is_law.
  apply le_INR in b. change (INR 1) with 1 in b.
  assert (P : 0 < d4).
  { assert (W : 0 < v * v) by now apply Rmult_lt_0_compat.
    assert (0 <= INR B * m4) by (apply Rmult_le_pos; lra).
    assert (0 < INR B * (v * v)) by (apply Rmult_lt_0_compat; lra).
    assert (0 <= INR B * ((INR B - 1) * (v * v))).
    { apply Rmult_le_pos; [lra|]. apply Rmult_le_pos; lra. }
    unfold d4, fourth. lra. }
  assert (D : 0 < d2) by (unfold d2, second; nra).
  destruct (moments_of_difference X B LX) as [M2 M4]. fold L v m4 d2 in M2. fold L v m4 d4 in M4.
  split; [|split].
  - apply Rmult_le_compat_l; [assert (0 <= INR G) by apply pos_INR; lra|].
    rewrite <- M2, <- M4 in *. now apply absolute_mean.
  - now apply pairing.
  - replace ((INR G / 2 * (d2 * sqrt (d2 / d4))) ^ 2)
      with (INR G ^ 2 / 4 * (d2 ^ 2 * (sqrt (d2 / d4) * sqrt (d2 / d4)))) by field.
    rewrite sqrt_sqrt; [field; lra|]. left. now apply Rdiv_lt_0_compat.
Qed.
